/// Frames as bytes, right and wrong, for peers that know no manners.
enum RawFrames {
    static let handshake =
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    /// A frame of a client.
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8] = [], fin: Bool = true, rsv: UInt8 = 0, mask: [UInt8]? = [0x12, 0x34, 0x56, 0x78]
    ) -> [UInt8] {
        var bytes: [UInt8] = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
        let bit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ..<126: bytes.append(bit | UInt8(payload.count))
        case ..<65536: bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        default: bytes += [bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    static func text(_ text: String, fin: Bool = true) -> [UInt8] { frame(1, Array(text.utf8), fin: fin) }

    static func close(_ code: Int?, _ reason: [UInt8] = []) -> [UInt8] {
        frame(8, code.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] + reason } ?? [])
    }

    struct Frame: Hashable {
        var opcode: UInt8
        var fin: Bool
        var rsv: UInt8
        var payload: [UInt8]

        /// Of a close frame.
        var closeCode: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
    }

    /// The next frame of a server; nil at the end of the connection.
    static func read(_ peer: RawPeer) -> Frame? {
        let head = peer.read(count: 2)
        guard head.count == 2 else { return nil }
        let short = Int(head[1] & 0x7f)
        let extra = short == 126 ? 2 : short == 127 ? 8 : 0
        let length = extra == 0 ? short : peer.read(count: extra).reduce(0) { $0 << 8 | Int($1) }
        return Frame(opcode: head[0] & 0xf, fin: head[0] & 0x80 != 0, rsv: head[0] >> 4 & 7, payload: peer.read(count: length))
    }
}
