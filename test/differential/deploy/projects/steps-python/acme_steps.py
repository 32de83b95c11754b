def describe(text: str, times: int = 1) -> dict:
    return {"text": text * times, "count": times, "parts": [text] * times}
