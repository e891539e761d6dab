"""What the hub of an organisation does with what its accounts say."""
