package import BondWire

/// The newest packets of one source, for all who get it: requests for repeats (NACK, RFC 4585) are answered out of it.
///
/// Bounded by packets, bytes and age; what is new takes the place of the oldest. The memory is taken as it is needed: whoever offers many
/// layers and sends nothing takes none.
package struct PacketCache: Sendable {
    package struct Limits: Hashable, Sendable {
        /// A power of two.
        package var packets: Int
        package var bytes: Int
        package var age: Microseconds

        package init(packets: Int, bytes: Int, age: Microseconds) {
            self.packets = packets
            self.bytes = bytes
            self.age = age
        }

        /// Two seconds of 2 Mbit/s: 520 kB for each layer of a picture, of which a track has three within 2 MB.
        package static let video = Limits(packets: 512, bytes: 520_000, age: 2_000_000)
        /// Two and a half seconds of 20 ms.
        package static let audio = Limits(packets: 128, bytes: 40_000, age: 2_000_000)
    }

    private struct Slot {
        var packet: SourcePacket
        var count: Int
        /// Of its first byte, counted since the beginning.
        var place: Int
        var at: Microseconds
    }

    private let limits: Limits
    /// None before the first packet.
    private var slots: [Slot?] = []
    /// A ring, of which one turn lasts for as long as packets are held, or which is as large as it may be.
    private var bytes: [UInt8] = []
    /// How many bytes were written, with those that were left free at the end of the ring.
    private var written = 0
    /// When the turn began that goes on.
    private var turned: Microseconds = 0
    private var newest: Int64?

    /// Of the ring, at first, where it may be so large: the largest packet has room in it.
    private static let leastBytes = 1 << 16

    /// The first packet of the newest key frame that was stored; it may be gone since.
    package private(set) var keyFrame: Int64?
    /// What was stored from that packet on.
    private var since = (packets: 0, bytes: 0)

    package init(_ limits: Limits) {
        precondition(limits.packets > 0 && limits.packets & (limits.packets - 1) == 0, "the number of packets is a power of two")
        self.limits = limits
    }

    /// That it has taken.
    var byteCount: Int { bytes.count }

    /// The source's number of the newest that is held.
    package var newestNumber: Int64? { newest }

    /// Keeps a packet. One that is too old, too large, or there already is not kept. One of padding alone is, without bytes: whoever gets
    /// what is kept has to know that nothing is missing there.
    /// - Parameter packetBytes: what a repeat needs, as it came: the worker's to choose (payload, or header and payload).
    package mutating func store(_ packet: SourcePacket, _ packetBytes: Span<UInt8>, at now: Microseconds) {
        let count = packetBytes.count
        guard count <= min(limits.bytes, Int(UInt16.max)) else { return }
        if let newest {
            // After a jump of the numbers all that is held is of the past.
            guard newest - packet.number < Int64(limits.packets) else { return }
        }
        if slots.isEmpty {
            slots = [Slot?](repeating: nil, count: limits.packets)
            bytes = [UInt8](repeating: 0, count: min(limits.bytes, Self.leastBytes))
            turned = now
        }
        let index = slot(packet.number)
        if let held = slots[index], held.packet.number >= packet.number { return }
        let place = count > 0 ? place(for: count, at: now) : written
        let start = place % bytes.count
        for offset in 0..<count { bytes[start + offset] = packetBytes[offset] }
        written = place + count
        slots[index] = Slot(packet: packet, count: count, place: place, at: now)
        let last = max(newest ?? packet.number, packet.number)
        newest = last
        if let mark = packet.mark, mark.isKey, mark.startsPicture, packet.number > keyFrame ?? .min {
            begin(packet.number, last)
        } else if packet.number > keyFrame ?? .max {
            since = (since.packets + 1, since.bytes + count)
        }
    }

    /// With a key frame: what came before its first packet, out of order, is behind it now.
    private mutating func begin(_ first: Int64, _ last: Int64) {
        keyFrame = first
        since = (0, 0)
        for number in first...last {
            guard let held = slots[slot(number)], held.packet.number == number else { continue }
            since = (since.packets + 1, since.bytes + held.count)
        }
    }

    /// What is kept from the newest key frame on; nil where that is gone.
    /// - Parameter age: of the key frame, at most.
    package func backlog(within age: Microseconds, at now: Microseconds) -> Backlog? {
        guard let keyFrame, let newest, let first = held(keyFrame, now), now - first.at <= age, let last = slots[slot(newest)]?.packet,
            last.number == newest
        else { return nil }
        return Backlog(
            first: keyFrame, last: newest, firstTimestamp: first.packet.timestamp, lastTimestamp: last.timestamp, bytes: since.bytes,
            holes: Int(newest - keyFrame) + 1 - since.packets)
    }

    /// Whether a packet that was held is not held any more; false of one that has never come.
    package func hasLost(_ number: Int64, at now: Microseconds) -> Bool {
        guard number >= 0, !slots.isEmpty, let taken = slots[slot(number)], taken.packet.number >= number else { return false }
        return held(number, now) == nil
    }

    /// Where the next packet lies, counted as `written`.
    private mutating func place(for count: Int, at now: Microseconds) -> Int {
        let place = next(count)
        guard place > 0, place % bytes.count == 0 else { return place }
        guard now - turned < limits.age, bytes.count < limits.bytes else {
            turned = now
            return place
        }
        grow(behind: place - bytes.count)
        return next(count)
    }

    private func next(_ count: Int) -> Int {
        let room = bytes.count - written % bytes.count
        return room < count ? written + room : written
    }

    /// - Parameter start: of the turn that is over: it stays at the front of the ring, and what comes is behind it.
    private mutating func grow(behind start: Int) {
        let size = bytes.count
        for index in slots.indices {
            guard let place = slots[index]?.place else { continue }
            if place >= start { slots[index]?.place = place - start } else { slots[index] = nil }
        }
        bytes += [UInt8](repeating: 0, count: min(size, limits.bytes - size))
        written = size
    }

    /// A packet that is held.
    package func packet(_ number: Int64, at now: Microseconds) -> SourcePacket? { held(number, now)?.packet }

    /// Gives a packet's bytes; they are good for this call only.
    /// - Returns: nil, without a call, where it is not held.
    package func with<Result>(_ number: Int64, at now: Microseconds, _ use: (SourcePacket, Span<UInt8>) -> Result) -> Result? {
        guard let held = held(number, now) else { return nil }
        let start = held.place % bytes.count
        return use(held.packet, bytes.span.extracting(start..<start + held.count))
    }

    private func held(_ number: Int64, _ now: Microseconds) -> Slot? {
        guard number >= 0, !slots.isEmpty, let held = slots[slot(number)], held.packet.number == number else { return nil }
        return written - held.place <= bytes.count && now - held.at <= limits.age ? held : nil
    }

    private func slot(_ number: Int64) -> Int { Int(number & Int64(limits.packets - 1)) }
}
