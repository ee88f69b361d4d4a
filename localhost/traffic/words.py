"""What people ask and models answer: a small vocabulary, put together anew each time."""

from typing import Final

from localhost.traffic.dice import Dice

__all__ = ["answer", "instruction", "question", "tokens"]

_TOPICS: Final = (
    "the quarterly invoice run",
    "our returns policy",
    "the warehouse in Linz",
    "a late delivery",
    "the new travel rules",
    "customer complaint 4711",
    "the onboarding checklist",
    "last week's outage",
    "the supplier contract",
    "our café vouchers",
    "the maintenance window",
    "the Müller account",
    "the pension scheme",
    "a broken barcode scanner",
    "the sales forecast",
    "the audit findings",
    "our holiday calendar",
    "the price list for 2026",
    "a faulty invoice",
    "the safety briefing",
)
_QUESTIONS: Final = (
    "Summarise {} in three sentences.",
    "Write a friendly e-mail about {}.",
    "What should I know about {} before the meeting?",
    "List the open points on {}.",
    "Translate this note on {} into German: we will come back to you on Monday.",
    "Explain {} to a new colleague.",
    "Which risks do you see in {}?",
    "Draft an agenda for a workshop on {}.",
    "Rewrite the following about {} so that it sounds less harsh.",
    "Give me five headlines for an article on {}.",
    'Is the phrase "as agreed" correct in a letter about {}?',
    "Compare two ways of handling {} and recommend one.",
    "Turn my notes on {} into a table:\n- who\n- what\n- by when",
    "How do other companies deal with {}?",
)
_DETAILS: Final = (
    "The customer has written twice already.",
    "Please keep it under a page.",
    "It is for the management board, so leave the jargon out.",
    "We agreed on a budget of 12,500 euros.",
    "My draft so far is too long and nobody reads it.",
    "The deadline is Thursday at noon.",
    "Use British spelling.",
    "The team in Graz sees it differently.",
    "Last year we did this by hand, and it took two weeks.",
    "Do not mention any names.",
)
_STATEMENTS: Final = (
    "Here is a short overview of {}.",
    "The most important point about {} is who decides, and by when.",
    "Three people are involved in {}, and each of them needs the same information.",
    "First, collect what is known; second, agree on the next step; third, write it down.",
    "As far as {} goes, the costs stay within the budget.",
    "A common mistake is to start before the responsibilities are clear.",
    "You could begin with the customer's own words and end with a date.",
    "If nothing has happened by Friday, remind them politely once more.",
    "The figures in your note add up, apart from the second line.",
    "I would leave out the last paragraph, since it repeats the first.",
    "In short: {} can be settled this week.",
    "Let me know whether you want a longer version.",
    "Two questions remain open, and both concern {}.",
    "The tone is fine; only the greeting is too formal.",
    "Kind regards, and thank you for your patience.",
    "- What: {}\n- Who: the team lead\n- By when: end of the month",
)
_INSTRUCTIONS: Final = (
    "You are a helpful assistant.",
    "You answer questions of our staff. Be brief, be polite, and say so when you do not know.",
    "You are a translator. Keep names and numbers as they are.",
    "You help our support team to answer customers. Never promise a refund.",
    "You review texts for style. Answer with the better text only.",
)
_CHARACTERS_PER_TOKEN: Final = 4.3
"""Of English prose, roughly."""


def question(dice: Dice) -> str:
    """Return what a person asks."""
    text = dice.pick(_QUESTIONS).format(dice.pick(_TOPICS))
    for _ in range(dice.below(4)):
        text += " " + dice.pick(_DETAILS)
    return text


def answer(dice: Dice) -> str:
    """Return what a model answers."""
    topic = dice.pick(_TOPICS)
    return " ".join([dice.pick(_STATEMENTS).format(topic) for _ in range(dice.between(1, 7))])


def instruction(dice: Dice) -> str:
    """Return a system message."""
    return dice.pick(_INSTRUCTIONS)


def tokens(characters: int) -> int:
    """Return about how many tokens a text of that many characters has."""
    return max(1, round(characters / _CHARACTERS_PER_TOKEN))
