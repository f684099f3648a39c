import Foundation
import Support

/// A stranger's reader of QR codes: zbar, whose library comes with GStreamer's plugins.
enum QRReader {
    /// What the code in each picture says, in their order; empty where none is found in it.
    /// - Parameter pictures: paths of PNG files, or of grey PGM ones.
    static func read(_ pictures: [String]) async throws -> [String] {
        let folder = try TemporaryFolder()
        let said = try await runTool("python3", [try folder.write(script, to: "read.py")] + pictures).text
        return try JSONDecoder().decode([String].self, from: Data(said.utf8))
    }

    private static let script = """
        import ctypes, json, subprocess, sys

        zbar = ctypes.CDLL("libzbar.so.0")
        for name in ["image_scanner_create", "image_create", "image_first_symbol", "symbol_get_data"]:
            getattr(zbar, "zbar_" + name).restype = ctypes.c_void_p

        def grey(path):
            if path.endswith(".pgm"):
                return open(path, "rb").read()
            convert = ["ffmpeg", "-v", "error", "-i", path, "-f", "image2pipe", "-c:v", "pgm", "-pix_fmt", "gray", "-"]
            return subprocess.run(convert, stdout=subprocess.PIPE, check=True).stdout

        def read(path):
            picture = grey(path)
            width, height = map(int, picture.split(None, 4)[1:3])
            pixels = picture[-width * height:]
            scanner, image = ctypes.c_void_p(zbar.zbar_image_scanner_create()), ctypes.c_void_p(zbar.zbar_image_create())
            zbar.zbar_image_set_format(image, int.from_bytes(b"Y800", "little"))
            zbar.zbar_image_set_size(image, width, height)
            zbar.zbar_image_set_data(image, pixels, ctypes.c_ulong(len(pixels)), None)
            zbar.zbar_scan_image(scanner, image)
            symbol = ctypes.c_void_p(zbar.zbar_image_first_symbol(image))
            return ctypes.string_at(zbar.zbar_symbol_get_data(symbol)).decode() if symbol else ""

        print(json.dumps([read(path) for path in sys.argv[1:]]))
        """
}
