"""Lines over time as SVG: what the links could carry, what was offered, what came out, and how late."""
from html import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 1100, 190, 80, 34, 52
INK, GRID, FONT = "#222", "#ddd", "font-family='sans-serif' font-size='12'"


class Panel:
    """Lines with one scale; a line is (name, colour, [(seconds, value)]), broken where a value is None."""

    def __init__(self, title, unit, lines, top=None):
        self.title, self.unit, self.lines = title, unit, lines
        highest = max((value for _, _, points in lines for _, value in points if value is not None), default=1) or 1
        self.top = min(highest * 1.05, top) if top else highest * 1.05

    def draw(self, y, seconds, marks):
        parts = [f"<text x='{LEFT}' y='{y - 8}' {FONT} font-weight='bold' fill='{INK}'>{escape(self.title)}</text>"]
        for number in range(5):
            value, line = self.top * number / 4, y + HEIGHT - HEIGHT * number / 4
            parts.append(f"<line x1='{LEFT}' y1='{line:.1f}' x2='{LEFT + WIDTH}' y2='{line:.1f}' stroke='{GRID}'/>")
            parts.append(f"<text x='{LEFT - 6}' y='{line + 4:.1f}' {FONT} text-anchor='end' fill='{INK}'>{round(value, 1 if value < 100 else None):g}</text>")
        parts.append(f"<text x='14' y='{y + HEIGHT / 2:.0f}' {FONT} fill='{INK}' transform='rotate(-90 14 {y + HEIGHT / 2:.0f})'>{self.unit}</text>")
        step = next(step for step in (1, 2, 5, 10, 20, 60, 600, 1e9) if seconds / step <= 15)
        for number in range(int(seconds / step) + 1):
            x = LEFT + WIDTH * number * step / seconds
            parts.append(f"<text x='{x:.1f}' y='{y + HEIGHT + 15}' {FONT} text-anchor='middle' fill='{INK}'>{number * step} s</text>")
        for mark in marks:
            x = LEFT + WIDTH * mark / seconds
            parts.append(f"<line x1='{x:.1f}' y1='{y}' x2='{x:.1f}' y2='{y + HEIGHT}' stroke='{INK}' stroke-dasharray='3 3'/>")
        x = LEFT + 330
        for name, colour, points in self.lines:
            path, pen = [], "M"
            for at, value in points:
                if value is None:
                    pen = "M"
                else:
                    path.append(f"{pen}{LEFT + WIDTH * at / seconds:.1f} {y + HEIGHT - HEIGHT * min(value, self.top) / self.top:.1f}")
                    pen = "L"
            parts.append(f"<path d='{' '.join(path)}' fill='none' stroke='{colour}' stroke-width='1.3'/>")
            parts.append(f"<rect x='{x}' y='{y - 18}' width='14' height='4' fill='{colour}'/>")
            parts.append(f"<text x='{x + 18}' y='{y - 11}' {FONT} fill='{INK}'>{escape(name)}</text>")
            x += 34 + 7 * len(name)
        return parts


def write(path, title, seconds, panels, marks=()):
    """`marks` are times at which something was done to the links."""
    height = TOP + 24 + len(panels) * (HEIGHT + GAP)
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' width='{LEFT + WIDTH + 30}' height='{height}'>", "<rect width='100%' height='100%' fill='white'/>",
             f"<text x='{LEFT}' y='22' font-family='sans-serif' font-size='16' fill='{INK}'>{escape(title)}</text>"]
    for number, panel in enumerate(panels):
        parts += panel.draw(TOP + 24 + number * (HEIGHT + GAP), seconds, marks)
    with open(path, "w") as file:
        file.write("\n".join([*parts, "</svg>"]) + "\n")
