"""From photographs to arrays: sources, raw shards, selection, Lab shards and the color prior."""
