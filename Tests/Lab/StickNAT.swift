/// The address translation of a modem stick: every stick of its kind gives the board the same address, and has another one outside.
/// A stand-in: one address for one, ports moved by a number that `rebind` changes, as when a stick forgets its mappings.
struct StickNAT {
    /// Four bytes each.
    let inside: [UInt8]
    let outside: [UInt8]
    /// Where the stick's own page is for the board, and where the stand-in of it listens; TCP port 80 alone.
    let page: (inside: [UInt8], outside: [UInt8])
    private var shift: UInt16 = 0x0111

    private static let ethernetHeader = 14

    init(inside: [UInt8], outside: [UInt8], page: (inside: [UInt8], outside: [UInt8])) {
        self.inside = inside
        self.outside = outside
        self.page = page
    }

    mutating func rebind() { shift = shift &+ 0x0111 }

    /// Rewrites an Ethernet frame that passes; what is no IPv4, or of another address, stays as it is.
    func translate(_ frame: inout [UInt8], _ direction: Direction) {
        let ip = Self.ethernetHeader
        guard frame.count >= ip + 20, frame[12] == 0x08, frame[13] == 0, frame[ip] >> 4 == 4 else { return }
        let (old, new, at) = direction == .up ? (inside, outside, ip + 12) : (outside, inside, ip + 16)
        guard Array(frame[at..<at + 4]) == old else { return }
        let transport = ip + Int(frame[ip] & 0x0F) * 4
        // RFC 793 and RFC 768: where the ports and the checksum lie.
        let sum: Int? =
            switch frame[ip + 9] {
            case 6: transport + 16
            case 17: transport + 6
            default: nil
            }
        replace(&frame, at: at, with: new, sums: [ip + 10] + (sum.map { [$0] } ?? []))
        guard let sum else { return }
        let port = direction == .up ? transport : transport + 2
        guard frame.count >= sum + 2 else { return }
        let moved = (UInt16(frame[port]) << 8 | UInt16(frame[port + 1])) ^ shift
        replace(&frame, at: port, with: [UInt8(moved >> 8), UInt8(moved & 0xFF)], sums: [sum])
        if frame[ip + 9] == 6 { turnToPage(&frame, direction, ip, transport) }
    }

    private func turnToPage(_ frame: inout [UInt8], _ direction: Direction, _ ip: Int, _ transport: Int) {
        let (port, at) = direction == .up ? (transport + 2, ip + 16) : (transport, ip + 12)
        let (old, new) = direction == .up ? (page.inside, page.outside) : (page.outside, page.inside)
        guard frame[port] == 0, frame[port + 1] == 80, Array(frame[at..<at + 4]) == old else { return }
        replace(&frame, at: at, with: new, sums: [ip + 10, transport + 16])
    }

    /// Writes whole 16-bit words and keeps the checksums over them right (RFC 1624, equation 3).
    private func replace(_ frame: inout [UInt8], at start: Int, with bytes: [UInt8], sums: [Int]) {
        for offset in stride(from: 0, to: bytes.count, by: 2) {
            let at = start + offset
            let old = UInt32(frame[at]) << 8 | UInt32(frame[at + 1])
            let new = UInt32(bytes[offset]) << 8 | UInt32(bytes[offset + 1])
            (frame[at], frame[at + 1]) = (bytes[offset], bytes[offset + 1])
            for sum in sums where sum + 1 < frame.count {
                let before = UInt32(frame[sum]) << 8 | UInt32(frame[sum + 1])
                var after = (~before & 0xFFFF) + (~old & 0xFFFF) + new
                while after > 0xFFFF { after = (after & 0xFFFF) + after >> 16 }
                after = ~after & 0xFFFF
                (frame[sum], frame[sum + 1]) = (UInt8(after >> 8), UInt8(after & 0xFF))
            }
        }
    }
}
