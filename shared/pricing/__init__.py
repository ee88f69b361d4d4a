"""What calls cost: the price book, and charges by it. Pure; decimals throughout."""
