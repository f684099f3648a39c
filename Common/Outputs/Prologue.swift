import GStreamer
import MPEGTS

/// What a peer that joins a running session begins with: the tables, and all that was sent since the last key frame.
struct Prologue {
    let header = StreamHeader(datagram: 7 * Packet.size)
    private var isWhole = true
    /// libsrt holds 8,192 packets for each peer, and srtsink ends one for which it cannot.
    private static let limit = 8 << 20

    /// Before a group is sent: a key frame is a new beginning.
    mutating func prepare(for group: TransportGroup) {
        guard group.isKey else { return }
        header.removeAll()
        header.append(group.tables)
        isWhole = true
    }

    /// Once a group is sent. Past the limit who joins has the tables, and pictures from the next key frame on.
    mutating func add(_ group: TransportGroup) {
        guard isWhole else { return }
        isWhole = header.byteCount + group.bytes.count <= Prologue.limit
        if isWhole { return header.append(group.bytes) }
        header.removeAll()
        header.append(group.tables)
    }
}
