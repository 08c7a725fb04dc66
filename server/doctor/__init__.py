"""What is wrong between a Label Studio task and a mask: examined step by step."""
