from prefect import flow

try:
    import nowhere_to_be_found
except ImportError:
    nowhere_to_be_found = None

if True:
    LIMIT = 3
else:
    LIMIT = 4


@flow(description=f"At most {LIMIT}.")
def limited(limit: int = LIMIT):
    pass


if __name__ == "__main__":
    limited.serve()
