"""Ports that services know, and the stores behind them."""
