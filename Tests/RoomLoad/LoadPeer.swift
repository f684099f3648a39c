import BondWire
import ICE
import Posix
import RTP
import SRTP
import STUN
import TLS
import WebRTC

/// One PeerConnection of the load, over a socket of its own: it finds the server by checks, shakes hands as the client, and sends or takes
/// protected packets.
final class LoadPeer: @unchecked Sendable {
    // Sendable: what changes is touched by the loop's thread only.
    let description: PeerDescription
    /// The room that it is in.
    let place: String
    private let field: LoadField
    private let socket: UDPSocket
    private let ours: IntegrityCode

    private var remote: RemoteEnd?
    private var theirs: IntegrityCode?
    private var transport: MediaTransport?
    private var watch: Watch?
    private var published: PublishedStream?
    private var played: PlayedStream?
    private let load: (packets: Int, bytes: Int, burst: Int)

    private var checked: Microseconds = 0
    private var reported: Microseconds = 0
    private var told: Microseconds = 0
    /// Connected, and of a player: its first picture is whole.
    private(set) var hasArrived = false
    private var arrivedAt = Instant.now
    private var isOver = false
    private var waiter: CheckedContinuation<Instant, any Error>?
    private var timer: LoopTimer?

    private static let password = "0123456789abcdefghijklmn"
    /// Checks until there is an answer, then as often as consent wants them (RFC 7675 section 5.1).
    private static let checkInterval: (early: Microseconds, late: Microseconds) = (50_000, 2_000_000)
    private static let reportInterval: Microseconds = 1_000_000
    private static let feedbackInterval: Microseconds = 50_000
    private static let reporter: UInt32 = 1

    init(_ use: PeerDescription.Use, in place: String, of plan: RoomLoadPlan, _ field: LoadField) throws {
        guard let address = SocketAddress(plan.bind, port: 0) else { throw RoomLoadFault(description: "no address: \(plan.bind)") }
        let socket = try UDPSocket(binding: address, buffers: 4 << 20)
        try socket.wantArrivalTimes()
        self.field = field
        self.place = place
        self.socket = socket
        description = PeerDescription(
            use: use, ufrag: String(UInt64.random(in: 1 << 40..<1 << 60), radix: 36), password: Self.password,
            fingerprint: field.context.fingerprint.description, address: socket.localAddress, source: .random(in: 1 ... .max),
            feedback: plan.feedback)
        ours = STUNCrypto.openSSL.makeCode(Array(Self.password.utf8))
        load = (plan.packets, plan.bytes, plan.burst)
        if use == .play { played = PlayedStream(plan.feedback) }
    }

    var use: PeerDescription.Use { description.use }
    var count: SequenceCount? { played?.count }
    var protection: String? {
        transport?.sender.map { $0.mediaOverhead == 16 ? "AES_128_GCM" : "AES_CM_128_HMAC_SHA1_80" }
    }

    private static var now: Microseconds { Instant.now.nanoseconds / 1000 }

    // MARK: Coming and going, from any thread

    /// Comes to a server, and waits until it is there.
    /// - Returns: when that was.
    func enter(_ remote: RemoteEnd, within limit: Duration) async throws -> Instant {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Instant, any Error>) in
            field.loop.run { self.begin(remote, within: limit, continuation) }
        }
    }

    /// Goes without a word; what is to be told is told by signalling.
    func leave() {
        field.loop.run { self.finish(RoomLoadFault(description: "it has left")) }
    }

    // MARK: On the loop's thread from here on

    private func begin(_ remote: RemoteEnd, within limit: Duration, _ continuation: CheckedContinuation<Instant, any Error>) {
        do {
            transport = try MediaTransport(field.context, .client, peer: [remote.fingerprint], at: Self.now)
            try socket.connect(to: remote.address)
            watch = try field.loop.watch(socket.descriptor, .read) { [weak self] _ in self?.read() }
        } catch {
            return continuation.resume(throwing: error)
        }
        self.remote = remote
        theirs = STUNCrypto.openSSL.makeCode(Array(remote.password.utf8))
        waiter = continuation
        timer = field.loop.timer(after: limit) { [weak self] in
            self?.finish(RoomLoadFault(description: "it was not there within \(limit)"))
        }
        field.add(self)
        check()
    }

    private func arrive() {
        guard !hasArrived else { return }
        hasArrived = true
        timer?.cancel()
        field.arrived(self)
        waiter?.resume(returning: arrivedAt)
        waiter = nil
    }

    private func finish(_ reason: any Error) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        watch?.cancel()
        field.remove(self)
        waiter?.resume(throwing: reason)
        waiter = nil
    }

    private func handle(_ events: [MediaTransport.Event]) {
        for event in events {
            switch event {
            case .send(let datagram): send(datagram)
            case .opened:
                guard use == .publish else { break }
                published = PublishedStream(
                    source: description.source, packets: load.packets, bytes: load.bytes, burst: load.burst, phase: .random(in: 0..<1),
                    at: .now)
                arrivedAt = .now
                arrive()
            case .ended(let reason):
                field.tally.lost("\(use): \(reason)")
                finish(RoomLoadFault(description: reason))
            }
        }
    }

    /// What time asks for, some times a second.
    func tick() {
        guard !isOver, let transport else { return }
        let now = Self.now
        handle(transport.advance(to: now))
        if now - checked >= (transport.isOpen ? Self.checkInterval.late : Self.checkInterval.early) { check() }
        guard transport.isOpen else { return }
        if now - reported >= Self.reportInterval {
            reported = now
            report()
        }
        if now - told >= Self.feedbackInterval, played?.arrivals?.hasArrivals == true {
            told = now
            tellArrivals()
        }
    }

    func restart() { played?.restart() }

    // MARK: What it sends

    private func send(_ datagram: [UInt8]) { datagram.withUnsafeBytes { send($0) } }

    private func send(_ datagram: UnsafeRawBufferPointer) {
        // try?: a server that has just ended is told of by its clients' silence; what was lost is counted where it does not arrive.
        _ = try? socket.send(datagram)
    }

    private func check() {
        guard let remote, let theirs else { return }
        checked = Self.now
        var writer = STUNWriter(.request, TransactionID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)))
        writer.append(.username, Array("\(remote.ufrag):\(description.ufrag)".utf8))
        writer.append(.priority, 0x6e7f_1eff as UInt32)
        writer.append(.iceControlling, UInt64(description.source))
        writer.append(.useCandidate)
        send(writer.finished(theirs))
    }

    /// All that is due of its pictures.
    func publish(to players: Int) {
        guard !isOver, published != nil, let sender = transport?.sender else { return }
        field.tally.skipped += published?.skip(at: .now) ?? 0
        while let (count, late) = published?.take(into: field.made, at: .now) {
            // try?: each number is used once, and there is room: nothing is refused.
            guard let protected = try? sender.protect(field.made, count, .first) else { continue }
            send(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(field.made)[..<protected]))
            field.tally.left(late: late, to: players)
        }
    }

    private func report() {
        if let report = published?.report(at: .now) {
            send([.senderReport(report)])
        } else {
            send([.receiverReport(ReceiverReport(source: Self.reporter))])
        }
    }

    private func tellArrivals() {
        while let feedback = played?.arrivals?.feedback(sender: Self.reporter, media: description.source) {
            send([.receiverReport(ReceiverReport(source: Self.reporter)), .transport(feedback)])
        }
    }

    private func send(_ parts: [ControlPacket]) {
        guard let sender = transport?.sender else { return }
        var writer = ControlWriter()
        for part in parts { _ = writer.append(part) }
        let bytes = writer.bytes
        field.taken.copyBytes(from: bytes)
        // try?: as of pictures.
        guard let count = try? sender.protectControl(field.taken, bytes.count) else { return }
        send(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(field.taken)[..<count]))
    }

    // MARK: What it takes

    private func read() {
        do {
            var count = 0
            repeat {
                count = try socket.receive(field.batch)
                for place in 0..<count where !isOver { take(field.batch[place], place) }
            } while count == field.batch.capacity && !isOver
        } catch {
            field.tally.lost("\(use): \(error)")
            finish(error)
        }
    }

    /// Told apart by the first byte. Source: RFC 7983 section 7.
    private func take(_ datagram: UnsafeRawBufferPointer, _ place: Int) {
        guard let first = datagram.first, datagram.count <= field.taken.count else { return }
        switch first {
        case 0...3: takeCheck(Array(datagram))
        case 20...63: if let transport { handle(transport.take(Array(datagram), at: Self.now)) }
        case 128...191 where datagram.count >= RTPHeader.fixedBytes:
            if (192...223).contains(datagram[1]) { takeControl(datagram) } else { takeMedia(datagram, place) }
        default: break
        }
    }

    private func takeCheck(_ datagram: [UInt8]) {
        guard let message = STUNMessage(datagram.span), let remote, let transport else { return }
        switch message.kind {
        case .success: handle(transport.start(at: Self.now))
        case .request:
            guard message.isAuthentic(datagram.span, ours),
                let seen = MappedAddress(remote.address.bytes, port: UInt16(truncatingIfNeeded: remote.address.port))
            else { return }
            var writer = STUNWriter(.success, message.transaction)
            writer.append(seen)
            send(writer.finished(ours))
        case .failure:
            field.tally.lost("\(use): a check was refused with \(message.errorCode ?? 0)")
            finish(RoomLoadFault(description: "a check was refused with \(message.errorCode ?? 0)"))
        case .indication: break
        }
    }

    private func takeControl(_ datagram: UnsafeRawBufferPointer) {
        guard published != nil else { return }
        field.taken.copyMemory(from: datagram)
        guard let count = transport?.openControl(field.taken, datagram.count) else { return field.tally.refused += 1 }
        let packet = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(field.taken)[..<count])
        // try?: what is none asks for nothing.
        guard let parts = try? ControlReader.read(Span(_unsafeBytes: packet)) else { return }
        let asks = parts.contains { part in
            switch part {
            case .pictureLoss, .fullIntra: true
            default: false
            }
        }
        guard asks else { return }
        field.tally.keyFrameRequests += 1
        published?.wantKey()
    }

    private func takeMedia(_ datagram: UnsafeRawBufferPointer, _ place: Int) {
        if played?.arrivals != nil { note(datagram, place) }
        // Repeats and padding have a payload type of their own.
        guard datagram[1] & 0x7f == remote?.payloadType,
            let number = played?.take(UInt16(datagram[2]) << 8 | UInt16(datagram[3]))
        else { return }
        field.taken.copyMemory(from: datagram)
        guard let count = transport?.openMedia(field.taken, datagram.count) else { return field.tally.refused += 1 }
        let packet = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(field.taken)[..<count])
        // try?: a server sends on what it has got, which was a packet.
        guard let header = try? RTPHeader(Span(_unsafeBytes: packet)),
            let picture = PicturePacket(UnsafeRawBufferPointer(rebasing: packet[header.payload]))
        else { return field.tally.refused += 1 }
        let arrival = field.batch.arrival(place)
        field.tally.opened(delay: (arrival.nanoseconds - picture.leftAt) / 1000)
        guard played?.opened(picture, number: number, isLast: header.fields.marker) == true else { return }
        arrivedAt = arrival
        arrive()
    }

    /// Of the number that the transport has given it, which stands in the clear.
    private func note(_ datagram: UnsafeRawBufferPointer, _ place: Int) {
        field.taken.copyMemory(from: datagram)
        // How much of it is padding stands behind the protection.
        field.taken[0] &= ~0x20
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(field.taken)[..<datagram.count])
        let packet = Span<UInt8>(_unsafeBytes: bytes)
        // try?: without a header or extensions it has no number.
        guard let header = try? RTPHeader(packet), let values = try? ExtensionValues(packet, header, field.numbers),
            let sequence = values.transportSequence
        else { return }
        played?.arrivals?.arrived(sequence, at: field.batch.arrival(place).nanoseconds / 1000)
    }
}
