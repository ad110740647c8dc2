"""Local geometry code learning: one latent code for each key point of a shared scaffold; docs/lgcl.md."""
