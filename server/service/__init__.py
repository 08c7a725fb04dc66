"""What the server does, in asyncio terms; knows core and its own ports only."""
