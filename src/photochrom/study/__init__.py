"""The human study: what people are shown, what they answered, and what it says."""
