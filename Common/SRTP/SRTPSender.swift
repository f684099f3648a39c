import BondWire
import Crypto

/// Protects what goes out over one connection. Source: RFC 3711; RFC 7714.
///
/// A class, because a packet's number must exist once: two copies of this would use a nonce twice. Confined to its owner's thread; a
/// packet costs no allocation once its source is known.
///
/// A source's first sequence number should be below 32,768: who misses the packets before an early rollover cannot know of it (RFC 3711
/// section 3.3.1).
package final class SRTPSender {
    package enum Occasion: Hashable, Sendable {
        case first
        /// Sent before under the same number, and the same byte for byte: else the two would betray each other's payload (RFC 3711
        /// section 9.1).
        case again
    }

    private let media: Protection
    private let control: Protection
    private var table: StreamTable
    /// Sources that are over: their numbers would be used twice.
    private var retired: Set<UInt32> = []

    /// Of those; then sources that are over keep their places.
    private static let retirementLimit = 65_536

    /// - Parameter limit: of sources that are not over.
    package init(_ keys: SRTPKeys, limit: Int = 256) {
        media = Protection(keys.profile, keys.sending, .media, .sealing)
        control = Protection(keys.profile, keys.sending, .control, .sealing)
        table = StreamTable(limit: limit)
    }

    /// What an RTP packet grows by, and an RTCP compound.
    package var mediaOverhead: Int { media.overhead(control: false) }
    package var controlOverhead: Int { control.overhead(control: true) }

    /// Protects the RTP packet in the first `count` bytes where it lies.
    /// - Returns: the count of the protected packet.
    package func protect(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int, _ occasion: Occasion) throws(SRTPError) -> Int {
        guard count <= buffer.count, let layout = PacketLayout(UnsafeRawBufferPointer(buffer).part(0..<count)) else { throw .short }
        return try seal(buffer, layout, text: UnsafeRawBufferPointer(buffer).part(layout.headerBytes..<count), occasion)
    }

    /// Protects the RTP packet of a header of one's own and a payload that others send too, which stays as it is.
    ///
    /// - Parameter buffer: not the payload's place.
    /// - Returns: the count of the protected packet in `buffer`.
    package func protect(
        header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ occasion: Occasion
    ) throws(SRTPError) -> Int {
        guard let layout = PacketLayout(header), layout.headerBytes == header.count else { throw .short }
        guard header.count <= buffer.count else { throw .tooLong }
        buffer.copyMemory(from: header)
        return try seal(buffer, layout, text: payload, occasion)
    }

    /// Protects the RTCP compound in the first `count` bytes where it lies.
    /// - Returns: the count of the protected packet.
    package func protectControl(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) throws(SRTPError) -> Int {
        guard count <= buffer.count, let source = ControlLayout.source(of: UnsafeRawBufferPointer(buffer).part(0..<count)) else {
            throw .short
        }
        guard count + controlOverhead <= buffer.count else { throw .tooLong }
        let place = try place(of: source)
        let index = try table.takeControl(at: place)
        let text = UnsafeRawBufferPointer(buffer).part(ControlLayout.headerBytes..<count)
        return control.seal(
            buffer, clear: ControlLayout.headerBytes, text: text, source: source, index: UInt64(index), word: 1 << 31 | index)
    }

    /// Nothing more is sent by this source: another one may have its place. From now on it is refused (`.replayed`).
    package func retire(_ source: UInt32) {
        guard retired.count < Self.retirementLimit, let place = table.place(of: source) else { return }
        table.remove(at: place)
        retired.insert(source)
    }

    private func seal(
        _ buffer: UnsafeMutableRawBufferPointer, _ layout: PacketLayout, text: UnsafeRawBufferPointer, _ occasion: Occasion
    ) throws(SRTPError) -> Int {
        guard layout.headerBytes + text.count + mediaOverhead <= buffer.count else { throw .tooLong }
        let place = try place(of: layout.source)
        let index = try index(layout.sequence, table.streams[place].media, occasion)
        let count = media.seal(buffer, clear: layout.headerBytes, text: text, source: layout.source, index: index)
        if occasion == .first { table.insertMedia(index, at: place) }
        return count
    }

    private func place(of source: UInt32) throws(SRTPError) -> Int {
        if let place = table.place(of: source) { return place }
        guard !retired.contains(source) else { throw .replayed }
        guard !table.isFull else { throw .full }
        return table.add(source)
    }

    /// A number is used once, and again only for what has had it.
    private func index(_ sequence: UInt16, _ window: ReplayWindow?, _ occasion: Occasion) throws(SRTPError) -> UInt64 {
        let window = window ?? ReplayWindow()
        guard let index = window.index(of: sequence) else { throw .exhausted }
        switch occasion {
        case .first: guard window.isNew(index) else { throw .replayed }
        case .again: guard !window.isNew(index) else { throw .replayed }
        }
        return index
    }
}
