import BondWire
import Crypto

/// Lets in what comes over one connection, each packet once. Source: RFC 3711; RFC 7714.
///
/// A source is known from its first authentic packet on: who has no keys makes nothing grow. Confined to its owner's thread; a packet
/// costs no allocation once its source is known.
package final class SRTPReceiver {
    private let media: Protection
    private let control: Protection
    private var table: StreamTable

    /// - Parameter limit: of sources, over the whole life of the connection.
    package init(_ keys: SRTPKeys, limit: Int = 256) {
        media = Protection(keys.profile, keys.receiving, .media, .opening)
        control = Protection(keys.profile, keys.receiving, .control, .opening)
        table = StreamTable(limit: limit)
    }

    /// How many sources were authentic.
    package var sources: Int { table.streams.count }

    /// Opens the RTP packet in the first `count` bytes where it lies. A packet that is refused is worthless.
    /// - Returns: the count of the plain packet.
    package func unprotect(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) throws(SRTPError) -> Int {
        let overhead = media.overhead(control: false)
        guard count <= buffer.count, let layout = PacketLayout(UnsafeRawBufferPointer(buffer).part(0..<count)),
            count >= layout.headerBytes + overhead
        else { throw .short }
        let place = try place(of: layout.source)
        let index = try mediaIndex(layout.sequence, at: place)
        guard media.open(buffer.part(0..<count), clear: layout.headerBytes, source: layout.source, index: index) else { throw .forged }
        table.insertMedia(index, at: place ?? table.add(layout.source))
        return count - overhead
    }

    /// Opens the RTCP compound in the first `count` bytes where it lies. A packet that is refused is worthless.
    /// - Returns: the count of the plain compound.
    package func unprotectControl(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) throws(SRTPError) -> Int {
        let overhead = control.overhead(control: true)
        guard count <= buffer.count, count >= ControlLayout.headerBytes + overhead else { throw .short }
        let packet = UnsafeRawBufferPointer(buffer).part(0..<count)
        guard let source = ControlLayout.source(of: packet) else { throw .short }
        let word = control.word(of: packet)
        // WebRTC always encrypts (RFC 8827 section 6.5), so a peer that does not is none.
        guard word >> 31 == 1 else { throw .forged }
        let index = UInt64(word & 0x7fff_ffff)
        let place = try place(of: source)
        if let place, let window = table.streams[place].control, !window.isNew(index) { throw .replayed }
        guard control.open(buffer.part(0..<count), clear: ControlLayout.headerBytes, source: source, index: index, word: word) else {
            throw .forged
        }
        table.insertControl(index, at: place ?? table.add(source))
        return count - overhead
    }

    /// nil for a source that has none yet and may get one.
    private func place(of source: UInt32) throws(SRTPError) -> Int? {
        let place = table.place(of: source)
        if place == nil, table.isFull { throw .full }
        return place
    }

    private func mediaIndex(_ sequence: UInt16, at place: Int?) throws(SRTPError) -> UInt64 {
        guard let place, let window = table.streams[place].media else { return UInt64(sequence) }
        guard let index = window.index(of: sequence) else { throw .exhausted }
        guard window.isNew(index) else { throw .replayed }
        return index
    }
}
