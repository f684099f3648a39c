import Crypto
import Glibc
import Posix

/// Writes a line for each access unit at the muxer: `v 324003000 <sha-256>` or `a …`, so that a test can hold what arrives at the
/// far end against what was sent.
///
/// The hash is over the VCL NAL units (H.264 types 1 and 5, H.265 types 0 to 31), each with its header and without start code or
/// trailing zeros, one after the other; for sound over the raw AAC frame, without ADTS header.
///
/// A file that is there goes on: an encoder that is built again, and an agent that is started again, write behind what was sent before.
final class AccessUnitTrace: Sendable {
    enum Medium: Sendable { case h264, h265, aac }

    private let file: Descriptor

    /// - Throws: `SystemError` where the file cannot be made.
    init(path: String) throws(SystemError) {
        let raw = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        file = Descriptor(adopting: raw)
    }

    /// - Parameter ticks: the presentation time as it stands in the stream, 33 bits at 90 kHz.
    func write(_ medium: Medium, ticks: Int64, _ bytes: UnsafeRawBufferPointer) {
        let hash: [UInt8]
        switch medium {
        case .aac: hash = SHA256.hash(Array(bytes))
        case .h264: hash = SHA256.hash(NALUnits.joined(bytes) { (1...5).contains($0 & 0x1f) && ($0 & 0x1f == 1 || $0 & 0x1f == 5) })
        case .h265: hash = SHA256.hash(NALUnits.joined(bytes) { ($0 >> 1) & 0x3f <= 31 })
        }
        let line = "\(medium == .aac ? "a" : "v") \(ticks) \(Hex.encode(hash))\n"
        // One write a line: the two streaming threads do not mix (O_APPEND, below PIPE_BUF). A full disk shows as a short list in the test.
        Array(line.utf8).withUnsafeBytes { _ = Glibc.write(file.raw, $0.baseAddress, $0.count) }
    }
}

/// Splitting Annex B byte streams. Source: ITU-T H.264, Annex B.
enum NALUnits {
    /// The bytes of the units whose first header byte is wanted, without start codes.
    static func joined(_ bytes: UnsafeRawBufferPointer, wanted: (UInt8) -> Bool) -> [UInt8] {
        var result: [UInt8] = []
        var start: Int?
        var index = 0
        func take(_ end: Int) {
            guard let start, start < end, wanted(bytes[start]) else { return }
            var end = end
            while end > start, bytes[end - 1] == 0 { end -= 1 }
            result += bytes[start..<end]
        }
        while index + 2 < bytes.count {
            if bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 {
                take(index)
                start = index + 3
                index += 3
            } else {
                index += 1
            }
        }
        take(bytes.count)
        return result
    }
}
