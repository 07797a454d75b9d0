"""How a request is sent: authenticated, within the budgets, and recorded."""
