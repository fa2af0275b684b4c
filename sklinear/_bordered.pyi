class Bordered:
    size: int
    n_borders: int
    most: int

    def __init__(self, n_names: int, room: int, most: int) -> None: ...
