"""Pure functions of arrays: geometry, prompts, masks, Label Studio encodings. No web, runtime, clock or environment."""
