import CQRencode
import Glibc

/// A text as a QR code (ISO/IEC 18004), with error correction M: a seventh of it may be dirty.
package struct QRCode: Hashable, Sendable {
    /// Modules of one side, without the quiet zone around it.
    package let width: Int
    private let dark: [Bool]

    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        let code: CInt
        package var description: String { "QRcode_encodeData: \(String(cString: strerror(code))) (\(code))" }
    }

    /// - Parameter text: read as UTF-8 by whoever scans it; at most 2,331 bytes.
    /// - Throws: `Fault`; ERANGE for more than the largest code holds.
    package init(_ text: String) throws(Fault) {
        let bytes = Array(text.utf8)
        // Version 0: the smallest that holds it. Source: qrencode.h, QRcode_encodeData: nothing at all is EINVAL.
        let code = bytes.withUnsafeBufferPointer { QRcode_encodeData(CInt($0.count), $0.baseAddress, 0, QR_ECLEVEL_M) }
        guard let symbol = code else { throw Fault(code: errno) }
        defer { QRcode_free(symbol) }
        let side = Int(symbol.pointee.width)
        guard side > 0, let data = symbol.pointee.data else { throw Fault(code: EINVAL) }
        width = side
        // The lowest bit is the module's colour (qrencode.h, QRcode).
        dark = (0..<side * side).map { data[$0] & 1 == 1 }
    }

    package func isDark(_ row: Int, _ column: Int) -> Bool { dark[row * width + column] }

    /// As a picture that a browser prints: one unit a module, with the quiet zone of four that the standard asks for.
    package var svg: String {
        var path = ""
        for row in 0..<width {
            for run in runs(row) { path += "M\(run.lowerBound + 4) \(row + 4)h\(run.count)v1h-\(run.count)z" }
        }
        let side = width + 8
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(side) \(side)\" shape-rendering=\"crispEdges\">"
            + "<rect width=\"\(side)\" height=\"\(side)\" fill=\"#fff\"/><path d=\"\(path)\"/></svg>"
    }

    /// Dark modules of a row that lie side by side.
    private func runs(_ row: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start: Int?
        for column in 0...width {
            let isDark = column < width && isDark(row, column)
            if isDark, start == nil { start = column }
            if !isDark, let first = start {
                found.append(first..<column)
                start = nil
            }
        }
        return found
    }

    /// As lines for a terminal of dark letters on light ground or the other way round: two rows in one line, with the quiet zone.
    package var lines: [String] {
        func isLight(_ row: Int, _ column: Int) -> Bool {
            guard (0..<width).contains(row), (0..<width).contains(column) else { return true }
            return !isDark(row, column)
        }
        return stride(from: -4, to: width + 4, by: 2).map { row in
            (-4..<width + 4).map { column in
                switch (isLight(row, column), isLight(row + 1, column)) {
                case (true, true): "█"
                case (true, false): "▀"
                case (false, true): "▄"
                case (false, false): " "
                }
            }.joined()
        }
    }
}
