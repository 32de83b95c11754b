from prefect import flow


@flow(name="Größe Ähnliches")
def grösse(straße: str = "Ü", emoji: str = "🚀\u2028"):
    """Straße 世界."""
