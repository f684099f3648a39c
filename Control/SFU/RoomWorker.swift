import BondWire
import Forwarding
import ICE
import Logging
import Posix
import STUN
import TLS
import Units
import WebRTC
import Wire

/// All rooms of one worker: its port, its peers, and what goes from whom to whom.
///
/// On its loop's thread alone: datagrams are read as many as wait, 32 at most; each is opened, and then all that they brought is rewritten and
/// sent on for one after the other of those who get it, before the next ones are read.
final class RoomWorker {
    private let loop: Loop
    let log: Log
    private let sockets: [UDPSocket]
    /// With their port; what peers are told.
    let announced: [SocketAddress]
    let context: DTLSContext
    var agent: LiteAgent
    var peers: [PeerID: Peer] = [:]
    var bySession: [SessionNumber: Peer] = [:]
    /// Those that are offered what there is; their peers are among `peers` once they have answered.
    var subscribers: [PeerID: Subscriber] = [:]
    /// Where what is recorded lies; nil where nothing can be.
    let recordings: String?
    var takes: [RoomID: RoomTake] = [:]
    /// The threads that write them and have them on the disk, since the first one.
    var takeLoops: (writing: Loop, disk: Loop)?
    /// Participants' peers that a parent before this one has let in, and when they end.
    private var orphans: [PeerID: Microseconds] = [:]
    private var watches: [Watch] = []
    private var timer: LoopTimer?
    /// When it was last looked for places for what was left out.
    private var filled: Microseconds = 0
    /// When it was last looked at whose paths are silent.
    private var looked: Microseconds = 0
    /// Of whom something waits for its turn, and when they are looked at.
    private var waiting: Set<PeerID> = []
    private var pacing: LoopTimer?
    private let batch: DatagramBatch
    /// For the packets of a batch, each at its place in it, and for the one that is made of one of them.
    private let taken: UnsafeMutableRawBufferPointer
    let made = UnsafeMutableRawBufferPointer.allocate(byteCount: RoomWorker.room, alignment: 16)
    /// Those of which a batch has brought something.
    private var fresh: [IncomingTrack] = []
    private let outbox: Outbox
    private var counts = (received: 0, refused: 0)
    private let left: (PeerID, String) -> Void
    private let mayOffer: () -> Bool
    private let offered: (PeerOffered) -> Void

    private static let room = 2048 + 64
    private static let tick = Duration.milliseconds(20)
    /// As fine as the loop's timers: a probe is some packets in 15 ms.
    private static let pace = Duration.milliseconds(1)
    /// Reads of one socket before others have their turn.
    private static let readLimit = 8
    static let peerLimit = 1000
    /// With those of subscribers.
    static let connectionLimit = 1600
    private static let fillInterval: Microseconds = 1_000_000
    /// As often as a question is asked again (`Limits.asking`).
    private static let lookInterval: Microseconds = 100_000
    /// As long as a seat is kept whose connection is lost.
    private static let orphanTime: Microseconds = 60_000_000

    /// Why somebody is not let in.
    struct Refusal: Error {
        /// A stable name, where whoever comes again may be let in.
        var step: WorkerStep?
        let reason: String
    }

    /// On the loop's thread.
    ///
    /// - Parameters:
    ///   - recordings: the folder of all takes; nil: nothing is recorded.
    ///   - left: takes who is gone by itself, and why.
    ///   - mayOffer: whether another offer is taken now; asked before each.
    ///   - offered: takes what a subscriber is to answer.
    /// - Throws: `SystemError` for an address or a port that cannot be had, `TLSError` without memory.
    init(
        port: Int, bind: [String], announced: [String], recordings: String? = nil, loop: Loop, log: Log,
        left: @escaping (PeerID, String) -> Void, mayOffer: @escaping () -> Bool, offered: @escaping (PeerOffered) -> Void
    ) throws {
        var sockets: [UDPSocket] = []
        for host in bind {
            let number = sockets.first?.localAddress.port ?? port
            guard let address = SocketAddress(host, port: number) else { throw SystemError("bind", on: host) }
            sockets.append(try UDPSocket(binding: address, buffers: 4 << 20))
        }
        self.loop = loop
        self.log = log
        self.sockets = sockets
        let batch = DatagramBatch()
        self.batch = batch
        taken = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.room * batch.capacity, alignment: 16)
        outbox = Outbox { [sockets] bytes, segment, path in
            let socket = sockets[Int(path.socket)]
            return try segment < bytes.count
                ? socket.send(bytes, segment: segment, to: path.remote) : socket.send(bytes, to: path.remote)
        }
        self.recordings = recordings
        self.left = left
        self.mayOffer = mayOffer
        self.offered = offered
        let told = announced.isEmpty ? bind : announced
        self.announced = told.compactMap { SocketAddress($0, port: sockets.first?.localAddress.port ?? port) }
        context = try DTLSContext(at: unixMilliseconds() / 1000)
        agent = LiteAgent(.openSSL)
    }

    deinit {
        taken.deallocate()
        made.deallocate()
    }

    var port: Int { sockets.first?.localAddress.port ?? 0 }
    var rooms: [RoomID] { Array(Set(peers.values.map(\.room)).union(subscribers.values.map(\.room))) }
    var peerIDs: [PeerID] { Array(Set(peers.keys).union(subscribers.keys)) }

    var now: Microseconds { Instant.now.nanoseconds / 1000 }

    // MARK: The loop

    func begin() throws {
        for (index, socket) in sockets.enumerated() {
            watches.append(try loop.watch(socket.descriptor, .read) { [weak self] _ in self?.read(index) })
        }
        arm()
    }

    func end() {
        timer?.cancel()
        pacing?.cancel()
        for watch in watches { watch.cancel() }
        for id in peerIDs { remove(id) }
    }

    private func arm() {
        timer = loop.timer(after: Self.tick) { [weak self] in
            self?.tick()
            self?.arm()
        }
    }

    private func read(_ index: Int) {
        outbox.isGathering = true
        defer { outbox.isGathering = false }
        do {
            for _ in 0..<Self.readLimit {
                let count = try sockets[index].receive(batch)
                guard count > 0 else { return }
                for place in 0..<count {
                    guard let source = batch.source(place) else { continue }
                    take(place, from: Path(socket: UInt32(index), remote: source), at: now)
                }
                forward()
                if count < batch.capacity { return }
            }
        } catch {
            log.warning("a socket cannot be read", ["error": "\(error)"])
        }
    }

    /// Sends on what the batch has brought.
    private func forward() {
        guard !fresh.isEmpty else { return }
        let now = now
        for track in fresh { track.forward(at: now) }
        fresh.removeAll(keepingCapacity: true)
        outbox.flush()
    }

    /// Told apart by the first byte. Source: RFC 7983 section 7.
    ///
    /// - Parameter place: in the batch.
    private func take(_ place: Int, from path: Path, at now: Microseconds) {
        counts.received += 1
        let datagram = batch[place]
        guard let first = datagram.first, datagram.count <= Self.room else { return refuse() }
        switch first {
        case 0...3: takeCheck(datagram, from: path, at: now)
        case 20...63:
            // Who comes and goes by it changes who gets what came before.
            forward()
            takeHandshake(datagram, from: path, at: now)
        case 128...191: takeMedia(datagram, place, from: path, at: now)
        default: refuse()
        }
    }

    private func refuse() { counts.refused += 1 }

    // MARK: Datagrams

    private func takeCheck(_ datagram: UnsafeRawBufferPointer, from path: Path, at now: Microseconds) {
        let step = agent.take(Span(_unsafeBytes: datagram), from: path, at: now)
        if let answer = step.answer { answer.withUnsafeBytes { send($0, over: path) } }
        switch step {
        case .refused: refuse()
        case .answered: break
        case .checked(let session, _, let change):
            if let question = agent.question(of: session, at: now) { ask(question) }
            if let change, let peer = bySession[session] { move(peer, change, at: now) }
        }
    }

    private func ask(_ question: Question) {
        question.bytes.withUnsafeBytes { send($0, over: question.path) }
    }

    private func move(_ peer: Peer, _ change: Change, at now: Microseconds) {
        switch change {
        case .connected(let path), .moved(_, let path): peer.path = path
        }
        handle(peer.transport.start(at: now), of: peer, at: now)
    }

    private func takeHandshake(_ datagram: UnsafeRawBufferPointer, from path: Path, at now: Microseconds) {
        guard let session = agent.came(datagram.count, over: path), let peer = bySession[session] else { return refuse() }
        // It may begin before a path was nominated: the answer goes back where the question came from.
        if peer.path == nil { move(peer, .connected(path), at: now) }
        let (wasOpen, messages) = (peer.transport.isOpen, peer.transport.messages)
        let events = peer.transport.take(Array(datagram), at: now)
        if !wasOpen, peer.transport.isOpen { agent.shookHands(over: path, by: session, at: now) }
        if peer.transport.messages != messages, let change = agent.used(path, by: session, at: now) { move(peer, change, at: now) }
        handle(events, of: peer, at: now)
    }

    private func takeMedia(_ datagram: UnsafeRawBufferPointer, _ place: Int, from path: Path, at now: Microseconds) {
        guard datagram.count >= 8, let session = agent.came(datagram.count, over: path), let peer = bySession[session] else {
            return refuse()
        }
        let taken = UnsafeMutableRawBufferPointer(rebasing: taken[place * Self.room..<(place + 1) * Self.room])
        taken.copyMemory(from: datagram)
        // RTCP has packet types of 192 to 223 there, which no payload type is. Source: RFC 5761 section 4.
        let isControl = (192...223).contains(datagram[1])
        let opened =
            isControl ? peer.transport.openControl(taken, datagram.count) : peer.transport.openMedia(taken, datagram.count)
        guard let opened else { return refuse() }
        if let change = agent.used(path, by: session, at: now) { move(peer, change, at: now) }
        let packet = UnsafeMutableRawBufferPointer(rebasing: taken[..<opened])
        if isControl {
            peer.takeControl(packet, at: now)
        } else if let track = peer.accept(packet, at: now) {
            fresh.append(track)
        }
    }

    private func handle(_ events: [MediaTransport.Event], of peer: Peer, at now: Microseconds) {
        for event in events {
            switch event {
            case .send(let datagram): datagram.withUnsafeBytes { send($0, to: peer) }
            case .opened:
                log.info("a peer is connected", ["peer": .text(peer.id.text)])
                connect(peer, at: now)
            case .ended(let reason): leave(peer, reason)
            }
        }
    }

    /// As far as its path may get anything now (`LiteAgent.maySend`); what may not go is lost, like any other packet.
    func send(_ bytes: UnsafeRawBufferPointer, to peer: Peer) {
        guard let path = peer.path, agent.maySend(bytes.count, over: path, by: peer.session) else { return }
        send(bytes, over: path)
    }

    private func send(_ bytes: UnsafeRawBufferPointer, over path: Path) { outbox.take(bytes, over: path) }

    // MARK: Who gets what

    /// Media may come and go: whoever plays is fed by whoever publishes, whoever subscribes by what was agreed on.
    private func connect(_ peer: Peer, at now: Microseconds) {
        if let subscriber = subscribers[peer.id] {
            subscriber.feed()
            return peer.choose(at: now)
        }
        for track in peer.outgoing { feed(track, in: peer.room) }
        peer.choose(at: now)
        for track in peer.incoming { offer(track, in: peer.room, at: now) }
        show(peer)
        tap(peer, at: now)
    }

    func publishers(in room: RoomID) -> [Peer] {
        peers.values.filter { $0.room == room && !$0.incoming.isEmpty && $0.transport.isOpen }.sorted { $0.id < $1.id }
    }

    /// The first publisher's that is heard, of those that send what the player takes.
    func feed(_ track: OutgoingTrack, in room: RoomID) {
        let sources = publishers(in: room).filter { !$0.isSilent }.flatMap(\.incoming)
        if let source = sources.first(where: { $0.codec == track.codec }) { track.feed(from: source) }
    }

    func offer(_ source: IncomingTrack, in room: RoomID, at now: Microseconds) {
        for player in peers.values where player.room == room && player.transport.isOpen && subscribers[player.id] == nil {
            for track in player.outgoing where track.track == nil && track.codec == source.codec { track.feed(from: source) }
            player.choose(at: now)
        }
    }

    private func clock(of track: OutgoingTrack) -> PublisherClock { track.track?.publisher?.clock ?? PublisherClock() }

    // MARK: Time

    private func tick() {
        let now = now
        outbox.isGathering = true
        defer { outbox.isGathering = false }
        for peer in peers.values {
            handle(peer.transport.advance(to: now), of: peer, at: now)
            if peer.transport.isOpen { peer.advance(to: now) }
        }
        // What players have chosen just now is asked of publishers at once.
        for peer in peers.values { tell(peer, at: now) }
        if now - looked >= Self.lookInterval {
            looked = now
            look(at: now)
        }
        if now - filled >= Self.fillInterval {
            filled = now
            for (orphan, end) in orphans where now >= end { remove(orphan) }
            for subscriber in subscribers.values where subscriber.hasPlaceAgain() { show(to: subscriber) }
        }
        Subscriber.offer(to: subscribers.values, while: mayOffer, offered)
    }

    /// At paths and whom they are of: what costs something for each session, whatever it does.
    private func look(at now: Microseconds) {
        chooseRecorded(at: now)
        for question in agent.questions(at: now) { ask(question) }
        for lapse in agent.advance(to: now) {
            switch lapse {
            case .expired(let session): expire(session)
            // nil: its only path is gone; where it comes from next, it is.
            case .moved(let session, _, let path): bySession[session]?.path = path
            case .quiet(let session): if let peer = bySession[session] { fallSilent(peer, at: now) }
            case .back(let session): if let peer = bySession[session] { comeBack(peer, at: now) }
            }
        }
    }

    /// The control packets that are due.
    private func tell(_ peer: Peer, at now: Microseconds) {
        guard let sender = peer.transport.sender else { return }
        for compound in peer.controls(clocks: { self.clock(of: $0) }, at: now) {
            made.copyBytes(from: compound)
            // try?: as media: what is refused is lost.
            guard let count = try? sender.protectControl(made, compound.count) else { continue }
            send(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(made)[..<count]), to: peer)
        }
    }

    private func expire(_ session: SessionNumber) {
        if let peer = bySession[session] { return leave(peer, "nothing came from it for 30 s") }
        guard let subscriber = subscribers.values.first(where: { $0.session == session }) else { return }
        remove(subscriber.id)
        left(subscriber.id, "it did not answer the offer for 30 s")
    }

    /// Something waits for its turn towards this peer.
    func wait(for peer: PeerID) {
        waiting.insert(peer)
        guard pacing == nil else { return }
        pacing = loop.timer(after: Self.pace) { [weak self] in self?.letGo() }
    }

    private func letGo() {
        pacing = nil
        outbox.isGathering = true
        defer { outbox.isGathering = false }
        let (due, now) = (waiting, now)
        waiting = []
        for peer in due { peers[peer]?.flush(at: now) }
    }

    // MARK: Coming and going

    /// A parent is there, the first or another one: it knows nobody who was in a room before. They come in anew, and what they had, which
    /// nobody can send away any more, ends a little later. Programs stay: they are nobody's.
    func meetParent() {
        let end = now + Self.orphanTime
        for id in Array(subscribers.keys) + peers.values.filter({ $0.owner != nil }).map(\.id) where orphans[id] == nil {
            orphans[id] = end
        }
    }

    func leave(_ peer: Peer, _ reason: String) {
        guard peers[peer.id] != nil else { return }
        remove(peer.id)
        left(peer.id, reason)
    }

    func remove(_ id: PeerID) {
        orphans[id] = nil
        if let subscriber = subscribers.removeValue(forKey: id), subscriber.peer == nil, let session = subscriber.session {
            agent.close(session)
        }
        guard let peer = peers.removeValue(forKey: id) else { return }
        for event in peer.transport.close() { if case .send(let datagram) = event { datagram.withUnsafeBytes { send($0, to: peer) } } }
        bySession[peer.session] = nil
        agent.close(peer.session)
        for track in peer.outgoing { track.track?.remove(track) }
        let now = now
        for source in peer.incoming { end(source, in: peer.room, at: now) }
    }

    func report() -> WorkerReport {
        defer { counts = (0, 0) }
        let out = outbox.takeCounts()
        return WorkerReport(
            packetsIn: counts.received, packetsOut: out.sent, packetsLost: out.lost, refused: counts.refused,
            takes: takes.isEmpty ? nil : takeReports)
    }
}
