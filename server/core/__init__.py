"""Pure numpy: geometry, prompts, masks, Label Studio encodings. No web, no runtime, no clock, no environment."""
