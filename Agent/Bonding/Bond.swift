package import BondWire

/// The scheduler of one flow over several links: which packet goes over which link and when, what is sent again, and how much the
/// encoder may make. A value without clock and socket.
///
/// The owner of the sockets tells it of links (`linkUp`, `linkDown`), packets (`offer`) and feedback (`take`, `request`), calls
/// `advance` each 5 ms, and after each of these calls `next` until it gives nothing: what it gives is sealed, sent, and told back
/// with `sent` before `next` is asked again. README.md explains the algorithm.
///
/// All times are microseconds of the sender's monotonic clock, but those inside of reports and `playoutOffset`; one that is before an earlier
/// call's counts as that one. No call fails: what comes from outside and makes no sense is passed over and counted in `figures`.
package struct Bond: Sendable {
    let settings: BondSettings
    let tuning: Tuning
    var clock: ReceiverClock
    var links: [BondedLink] = []
    var packets = PacketStore()
    var queue = SendQueue()
    var probes: [Transmission] = []
    var totals: BondFigures
    var events: [BondEvent] = []
    var now = Microseconds.longAgo
    var encoder: EncoderControl
    /// Of wire bytes, that is payload; of payload bytes, those that are to travel twice.
    var payloadShare = 1316.0 / 1385
    var doubledShare = 0.0

    var lastReport: Microseconds?
    var reportHeardAt: Microseconds?
    /// Reports in a row that were not believed, and that told nothing that can be.
    var distrusted = 0
    var fruitless = 0
    /// Cheaper links are too little for any picture.
    var needsLastResort = false
    var advancedAt = Microseconds.longAgo
    var isUnheard = false
    /// How much later than predicted a packet may come and be in time; by what waits and what the links carry.
    var margin: Microseconds = 0

    /// A receiver that misses more asks again.
    private static let requestLimit = 8192

    /// - Parameter tuning: for experiments; what the latency asks for if nil.
    package init(_ settings: BondSettings, tuning: Tuning? = nil) {
        self.settings = settings
        self.tuning = tuning ?? Tuning(latency: settings.latency)
        clock = ReceiverClock(latency: settings.latency)
        encoder = EncoderControl()
        totals = BondFigures(
            rate: EncoderRate(bitsPerSecond: EncoderControl.first), capacityBitsPerSecond: 0, queuedPackets: 0, queueAge: 0)
    }

    /// Moves the clock, never back; absurd times are bounded to some 35 years.
    mutating func tick(_ at: Microseconds) { now = max(now, min(max(at, 0), 1 << 50)) }

    // MARK: Links

    /// A link whose handshake is done. One of that number that is up already is taken down first.
    package mutating func linkUp(_ link: LinkNumber, _ traits: LinkTraits, at: Microseconds) {
        linkDown(link, at: at)
        var traits = traits
        traits.roundTrip = min(max(traits.roundTrip, 0), 10_000_000)
        traits.overhead = min(max(traits.overhead, 0), 1000)
        let index = links.firstIndex { $0.number > link } ?? links.count
        links.insert(BondedLink(link, traits, tuning, at: now), at: index)
        note(.up(link))
    }

    /// The link is gone: what it holds goes over the others at once. One that is not up is no error.
    package mutating func linkDown(_ link: LinkNumber, at: Microseconds) {
        tick(at)
        guard let index = index(of: link) else { return }
        let gone = links.remove(at: index)
        probes.removeAll { $0.link == link }
        var held: [PacketNumber] = []
        gone.flight.forEachOut { _, entry in if let packet = entry.packet { held.append(packet) } }
        for number in held { release(number, from: gone.bit, reason: .rescue) }
        note(.down(link))
    }

    /// Other traits for a link that stays up: another path MTU, the cap of its contract reached.
    package mutating func linkChanged(_ link: LinkNumber, _ traits: LinkTraits, at: Microseconds) {
        tick(at)
        guard let index = index(of: link) else { return }
        links[index].traits = traits
        links[index].figures.cost = traits.cost
    }

    func index(of link: LinkNumber) -> Int? { links.firstIndex { $0.number == link } }

    // MARK: Packets

    /// A packet of the flow, with `at` as its source time.
    /// - Parameter bytes: of the whole RTP packet.
    package mutating func offer(bytes: Int, importance: Importance, at: Microseconds) -> PacketNumber {
        tick(at)
        let bytes = min(max(bytes, 12), 65_535)
        if packets.count >= PacketStore.limit { forgetFirst() }
        var packet = PacketStore.Packet(source: now, bytes: bytes, importance: importance)
        packet.waiting = .first
        let number = packets.append(packet)
        queue.addFresh(number, bytes: bytes)
        totals.offered += 1
        let isDoubled = settings.mode == .bulletproof || settings.mode == .balanced && importance == .key
        doubledShare += ((isDoubled ? 1 : 0) - doubledShare) / 500
        return number
    }

    /// The receiver asks for packets that the links' own repair did not bring. Those that are on their way over a live link, or that
    /// nobody could bring in time, are passed over.
    /// - Parameter ranges: of one message; no more numbers of them are looked at than a queue of them would be worth.
    package mutating func request(_ ranges: [ClosedRange<PacketNumber>], at: Microseconds) {
        tick(at)
        let live = links.reduce(UInt16(0)) { $1.isLive ? $0 | $1.bit : $0 }
        var left = Self.requestLimit
        for range in ranges where packets.count > 0 {
            let first = max(range.lowerBound, packets.first)
            guard first <= range.upperBound, first < packets.end else { continue }
            let numbers = first.value...min(range.upperBound.value, packets.end.value - 1)
            for value in numbers.prefix(left) { request(PacketNumber(value), live) }
            totals.refusedRequests += max(0, numbers.count - left)
            left -= min(left, numbers.count)
        }
    }

    private mutating func request(_ number: PacketNumber, _ live: UInt16) {
        let packet = packets[number]
        guard packet.wasSent, packet.waiting == nil, !packet.isDropped, packet.carriers & live == 0 else { return }
        packets[number].isConfirmed = false
        requeue(number, .request)
    }

    /// Packets below it are needed by nobody any more.
    package mutating func takeForgotten() -> PacketNumber { packets.first }

    /// Puts a packet back into the queue, unless it waits there or came through.
    mutating func requeue(_ number: PacketNumber, _ reason: Transmission.Reason) {
        guard packets.contains(number) else { return }
        let packet = packets[number]
        guard packet.waiting == nil, !packet.isConfirmed, !packet.isDropped, packet.wasSent else { return }
        packets[number].waiting = reason
        queue.addAgain(number, bytes: packet.bytes)
    }

    /// A link no longer carries a packet; if no live one does, it is sent again.
    mutating func release(_ number: PacketNumber, from bit: UInt16, reason: Transmission.Reason) {
        guard packets.contains(number) else { return }
        packets[number].carriers &= ~bit
        let carriers = packets[number].carriers
        if carriers != 0, links.contains(where: { $0.isLive && carriers & $0.bit != 0 }) { return }
        requeue(number, reason)
    }

    mutating func forgetFirst() {
        let number = packets.first
        if packets[number].waiting != nil { drop(number) }
        let packet = packets.removeFirst()
        // Under overload no second copy ever has its turn.
        while let double = queue.doubles.first, double <= number { queue.doubles.removeFirst() }
        if packet.wasSent && !packet.isConfirmed && !packet.isDropped { totals.unconfirmed += 1 }
    }

    /// Nobody can bring it in time.
    mutating func drop(_ number: PacketNumber) {
        queue.remove(number, bytes: packets[number].bytes)
        packets[number].waiting = nil
        packets[number].isDropped = true
        packets[number].isToDouble = false
        totals.dropped += 1
    }

    mutating func note(_ kind: BondEvent.Kind) {
        if events.count >= 1000 { events.removeFirst(500) }
        events.append(BondEvent(at: now, kind: kind))
    }

    // MARK: What it shows

    /// What `FlowStatus` carries; nil until the first report. Microseconds: receiver's clock at the release of a packet, less its source
    /// time in the sender's clock. After 2 s it moves by 1 ms per second at most.
    package var playoutOffset: Microseconds? { clock.playout }

    /// What lies between a packet's source time and its release, by the offset of the clocks as it is measured now: the latency agreed,
    /// but for what the offset has moved since. nil until the first report.
    package var playoutLatency: Microseconds? {
        guard let playout = clock.playout, let offset = clock.offset else { return nil }
        return playout - offset
    }

    /// What the encoder should make now.
    package var rate: EncoderRate { EncoderRate(bitsPerSecond: encoder.bitsPerSecond) }

    /// Since the last call, oldest first; the last 1,000 at most.
    package mutating func takeEvents() -> [BondEvent] {
        defer { events = [] }
        return events
    }

    package func figures(at: Microseconds) -> (links: [LinkFigures], bond: BondFigures) {
        let time = max(now, min(at, 1 << 50))
        var bond = totals
        bond.rate = rate
        bond.capacityBitsPerSecond = Int(usableCapacity() * 8000)
        bond.queuedPackets = queue.count
        bond.queueAge = oldestWaiting.map { max(0, time - packets[$0].source) } ?? 0
        return (links.map { figures(of: $0, at: time) }, bond)
    }

    private func figures(of link: BondedLink, at time: Microseconds) -> LinkFigures {
        var figures = link.figures
        figures.state =
            !link.isLive ? .suspect : link.leastUp == nil ? .fresh : isTooSlow(link) ? .late : .live
        if let up = link.leastUp, let down = link.leastDown { figures.roundTrip = max(0, up + down) }
        figures.queue = link.flight.bytesOut > 0 ? link.queue(at: time, clock) : 0
        figures.estimateBitsPerSecond = Int(link.rate * 8000)
        figures.bytesOut = link.flight.bytesOut
        figures.loss = max(0, link.loss)
        return figures
    }
}
