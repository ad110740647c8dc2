"""Open a page in headless Chromium, by Qt, and write down what it looks like.

python browser.py PAGE.html SHOT.png WIDTH HEIGHT light|dark

Prints one line of JSON: the sizes of content and window, how many images are broken, and what the console said. Run in
a process of its own: Chromium wants the main thread for itself, and does not end well.
"""

import json
import os
import sys

FLAGS = "--no-sandbox --disable-gpu --single-process --blink-settings=preferredColorScheme="
SCHEMES = {"dark": "0", "light": "1"}
LAYOUT = """
JSON.stringify({
    width: document.documentElement.scrollWidth,
    window: window.innerWidth,
    broken: Array.from(document.images).filter(image => !image.naturalWidth).length,
})
"""
MOST_MILLISECONDS = 60_000
BETWEEN_LOOKS = 500


def main() -> None:
    page, shot, width, height, scheme = sys.argv[1:]
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = FLAGS + SCHEMES[scheme]

    from PySide6.QtCore import QTimer, QUrl
    from PySide6.QtWebEngineCore import QWebEnginePage
    from PySide6.QtWebEngineWidgets import QWebEngineView
    from PySide6.QtWidgets import QApplication

    said: list[str] = []

    class Page(QWebEnginePage):
        def javaScriptConsoleMessage(self, level, message, line, source) -> None:  # noqa: N802
            said.append(message)

    application = QApplication(sys.argv[:1])
    view = QWebEngineView()
    view.setPage(Page(view))
    view.resize(int(width), int(height))

    def report(layout: str) -> None:
        sys.stdout.write(json.dumps({**json.loads(layout), "console": said}) + "\n")
        sys.stdout.flush()
        QTimer.singleShot(BETWEEN_LOOKS, save)

    def save() -> None:
        """Save what is painted; a page that is loaded is blank for as long as the machine has other things to do."""
        image = view.grab().toImage()
        seen = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
        if len(seen) > 1:
            image.save(shot)
            application.quit()
        else:
            QTimer.singleShot(BETWEEN_LOOKS, save)

    def loaded(well: bool) -> None:
        if well:
            view.page().runJavaScript(LAYOUT, report)
        else:
            application.exit(1)

    view.loadFinished.connect(loaded)
    view.load(QUrl.fromLocalFile(page))
    view.show()
    QTimer.singleShot(MOST_MILLISECONDS, lambda: application.exit(2))
    # Taking Chromium down in order may crash; what was asked for is on disk by now.
    os._exit(application.exec())


if __name__ == "__main__":
    main()
