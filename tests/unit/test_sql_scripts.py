"""The T-SQL that people and pipelines run beside the migrations: options of Azure SQL, roles."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from shared.errors import ConfigurationError
from shared.stores.sql import tables
from shared.stores.sql.engine import create_engine
from shared.stores.sql.migrate import OPTIONS, apply_options, chosen_options, main
from tests.builders.tsql import recorded, recording

SQL = Path(__file__).parents[2] / "sql"
TABLES = tables.metadata.tables


def script(name: str) -> str:
    """Return a script without its comments, on one line."""
    text = (SQL / name).read_text(encoding="utf-8")
    return " ".join(re.sub(r"--.*", "", text).split())


def names_in(brackets: str) -> list[str]:
    return [name.strip(" []").split()[0] for name in brackets.split(",")]


# Options


def test_every_option_has_its_script_and_every_script_its_option() -> None:
    assert sorted(path.stem for path in (SQL / "options").iterdir()) == sorted(OPTIONS)


def test_options_are_named_in_any_order_and_once() -> None:
    assert chosen_options("") == []
    assert chosen_options(" columnstore,ledger columnstore, ") == ["ledger", "columnstore"]


def test_an_option_that_does_not_exist_is_refused_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTLEDGER_SQL_OPTIONS", "ledger,turbo")

    with pytest.raises(ConfigurationError, match="names turbo: there are ledger, compression, columnstore, fulltext"):
        main(["upgrade", f"sqlite:///{tmp_path / 'new.db'}"])

    assert not (tmp_path / "new.db").exists()


def test_options_are_for_azure_sql_alone(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")

    with pytest.raises(ConfigurationError, match="for Azure SQL"):
        apply_options(engine, ["columnstore"])

    apply_options(engine, [])
    engine.dispose()


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_applied_batch_by_batch_and_only_where_it_is_not_on(option: str) -> None:
    with recording() as (engine, recorder):
        apply_options(engine, [option])

    sent = [" ".join(re.sub(r"--.*", "", statement).split()) for statement, _ in recorder.statements]
    batches = [batch for batch in sent if not batch.startswith("SET TRANSACTION")]
    assert batches == [batch.strip() for batch in re.split(r"\bGO\b", script(f"options/{option}.sql"))]
    guards = ("if not exists (", "if exists (", "declare @rebuild")
    assert all(batch.startswith(guards) for batch in batches)


def test_the_columnstore_has_columns_that_exist_and_fit() -> None:
    (columns,) = re.findall(r"on dbo\.interaction \((.*?)\) with", script("options/columnstore.sql"))
    dialect = mssql.dialect()

    of_charges = set(tables.charge.c.keys())
    assert {*tables.DIMENSIONS.keys() - of_charges, "occurred_at", "http_status", "total_tokens"} <= set(
        names_in(columns)
    )
    for name in names_in(columns):
        assert "max" not in TABLES["interaction"].c[name].type.compile(dialect=dialect).lower()
        assert name not in {"prompt_preview", "completion_preview", "error_message"}


def test_the_full_text_index_is_on_texts_by_a_key_that_exists() -> None:
    text = script("options/fulltext.sql")
    (columns,) = re.findall(r"on dbo\.interaction \((.*?)\) key", text)

    (words,) = re.findall(r"on dbo\.word_entry \((.*?)\) key", text)

    assert names_in(columns) == ["prompt_preview", "completion_preview"]
    assert set(names_in(words)) <= set(TABLES["word_entry"].c.keys())
    assert f"key index {TABLES['word_entry'].primary_key.name} on" in text
    assert f"key index {TABLES['interaction'].primary_key.name} on" in text


def test_the_ledger_table_is_the_table_that_it_replaces() -> None:
    (made,) = re.findall(r"create table dbo\.(content_read \(.*?\)) with \(ledger", script("options/ledger.sql"))
    plain = str(sa.schema.CreateTable(TABLES["content_read"]).compile(dialect=mssql.dialect()))

    assert made.lower().replace(" ", "") == "".join(plain.lower().split()).removeprefix("createtable")


def test_compression_is_for_tables_that_exist_and_hold_nothing_compressed() -> None:
    names = re.findall(r"N'(\w+)'", script("options/compression.sql").split("t.name in")[1])

    assert "interaction" in names
    for name in names:
        assert not any(isinstance(column.type, sa.LargeBinary) for column in TABLES[name].c)


# Roles


def granted(role: str) -> dict[str, set[str]]:
    """Return what a role may do: table -> rights, of whole tables."""
    grants = re.findall(rf"grant ([\w, ]+) on dbo\.(\w+) to {role};", script("roles.sql"))
    return {table: set(rights.split(", ")) for rights, table in grants}


def _written() -> list[str]:
    """Return the app's statements; of a batch each of those that read or write a table."""
    texts = [" ".join(statement.split()).lower() for statement, _ in recorded().statements]
    parts = [part.strip() for text in texts for part in (text.split(";") if text.startswith("set nocount") else [text])]
    return [part for part in parts if not re.match(r"set |declare |select @count", part)]


def needed() -> dict[str, set[str]]:
    """Return what the app's statements need: table -> rights."""
    rights: dict[str, set[str]] = {}
    for text in _written():
        verb = text.split()[0]
        read = set(re.findall(r"(?:from|join) \[?(\w+)", text)) & set(TABLES)
        if verb != "select":
            target = next(name for name in re.findall(r"\w+", text) if name in TABLES)
            rights.setdefault(target, set()).add(verb)
            if verb != "insert":
                read.add(target)  # whatever picks the rows to change reads them
        for name in read:
            rights.setdefault(name, set()).add("select")
    return rights


def test_the_app_may_do_what_its_statements_do_and_nothing_else() -> None:
    assert granted("promptledger_app") == needed()


_SECRET = {
    "word_entry",
    "word_mark",
    "word_volume",
    "content",
    "content_grant",
    "content_read",
    "export",
    "export_part",
    "forward_mark",
    "quarantine",
    "reach",
    "alias",
    "delivery",
    "waiting",
    "lease",
}


def test_analysts_see_no_table_with_content() -> None:
    assert not set(granted("promptledger_analyst")) & _SECRET
    assert granted("promptledger_texts") == {}


def test_analysts_see_every_fact_of_a_call_but_texts_names_and_bookkeeping() -> None:
    (columns,) = re.findall(r"grant select on dbo\.interaction \((.*?)\) to promptledger_analyst", script("roles.sql"))
    hidden = {
        "prompt_preview", "completion_preview", "error_message", "identity",
        "parts", "field_sources", "strands", "revision",
    }  # fmt: skip

    facts = [column.name for column in TABLES["interaction"].c if column.computed is None]
    assert names_in(columns) == [name for name in facts if name not in hidden]


def test_only_the_app_and_the_pipeline_may_write() -> None:
    text = script("roles.sql")

    for role in ("promptledger_analyst", "promptledger_texts"):
        assert set(re.findall(rf"grant ([\w, ]+) on [^;]*? to {role};", text)) == {"select"}
    assert "control" not in text
    assert "db_owner" not in text
    assert "password" not in text
