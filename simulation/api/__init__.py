"""What a client may ask, and the answers, in the shapes of boto3."""
