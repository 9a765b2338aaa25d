"""What the browser shows: pages and the HTTP interface behind them."""
