"""The SDK's client: `reader` reads and believes nothing; `client` also submits."""
