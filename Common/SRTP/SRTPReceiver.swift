import BondWire
import Crypto

/// Lets in what comes over one connection, each packet once. Source: RFC 3711; RFC 7714.
///
/// A source is known from its first authentic packet on: who has no keys makes nothing grow. Of those that are known the one that was
/// heard the longest time ago gives its place to a new one: a page that sends its pictures anew again and again has new sources each time.
/// What came of it before is refused as ever if it comes again. Confined to its owner's thread; a packet costs no allocation once its
/// source is known.
package final class SRTPReceiver {
    private let media: Protection
    private let control: Protection
    private var table: StreamTable
    /// Of sources that had to go.
    private var ends: [UInt32: StreamTable.End] = [:]

    /// Of those; then no new source is let in.
    private static let endLimit = 4096

    /// - Parameter limit: of sources at a time.
    package init(_ keys: SRTPKeys, limit: Int = 256) {
        media = Protection(keys.profile, keys.receiving, .media, .opening)
        control = Protection(keys.profile, keys.receiving, .control, .opening)
        table = StreamTable(limit: limit)
    }

    /// How many sources were authentic and have a place.
    package var sources: Int { table.streams.count }

    /// Opens the RTP packet in the first `count` bytes where it lies. A packet that is refused is worthless.
    /// - Returns: the count of the plain packet.
    package func unprotect(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) throws(SRTPError) -> Int {
        let overhead = media.overhead(control: false)
        guard count <= buffer.count, let layout = PacketLayout(UnsafeRawBufferPointer(buffer).part(0..<count)),
            count >= layout.headerBytes + overhead
        else { throw .short }
        let place = try place(of: layout.source)
        let index = try mediaIndex(layout.sequence, mediaWindow(of: layout.source, at: place))
        guard media.open(buffer.part(0..<count), clear: layout.headerBytes, source: layout.source, index: index) else { throw .forged }
        let heard = hear(layout.source, at: place)
        table.insertMedia(index, at: heard)
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
        if let window = controlWindow(of: source, at: place), !window.isNew(index) { throw .replayed }
        guard control.open(buffer.part(0..<count), clear: ControlLayout.headerBytes, source: source, index: index, word: word) else {
            throw .forged
        }
        let heard = hear(source, at: place)
        table.insertControl(index, at: heard)
        return count - overhead
    }

    /// nil for a source that has none yet and may get one.
    private func place(of source: UInt32) throws(SRTPError) -> Int? {
        let place = table.place(of: source)
        if place == nil, table.isFull, ends[source] == nil, ends.count >= Self.endLimit { throw .full }
        return place
    }

    /// What came of a source; of one without a place all up to its end.
    private func mediaWindow(of source: UInt32, at place: Int?) -> ReplayWindow? {
        if let place { return table.streams[place].media }
        return ends[source]?.media.map { ReplayWindow(after: $0) }
    }

    private func controlWindow(of source: UInt32, at place: Int?) -> ReplayWindow? {
        if let place { return table.streams[place].control }
        return ends[source]?.control.map { ReplayWindow(after: $0) }
    }

    private func mediaIndex(_ sequence: UInt16, _ window: ReplayWindow?) throws(SRTPError) -> UInt64 {
        guard let window else { return UInt64(sequence) }
        guard let index = window.index(of: sequence) else { throw .exhausted }
        guard window.isNew(index) else { throw .replayed }
        return index
    }

    /// An authentic packet came of a source.
    /// - Returns: its place, which it gets where it has none.
    private func hear(_ source: UInt32, at place: Int?) -> Int {
        if let place {
            table.hear(at: place)
            return place
        }
        let end = ends.removeValue(forKey: source)
        if table.isFull, let oldest = table.removeOldest() { ends[oldest.source] = oldest.end }
        let place = table.add(source, after: end)
        table.hear(at: place)
        return place
    }
}
