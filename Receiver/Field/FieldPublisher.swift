import FoundationEssentials
import GStreamer
package import Logging
import MPEGTS
package import Outputs
package import Posix
import Units
import Wire

/// One stream's way into a room, in a process of its own: takes it from standard input, goes to the room's door as any encoder does, sends, and says
/// how it stands. Ends with the first thing that goes wrong; whoever started it tries again.
package actor FieldPublisher {
    private let loop: Loop
    private let door: RoomDoorway
    private let log: Log
    private let say: @Sendable (FieldWord) -> Void
    private nonisolated let endings: AsyncStream<FieldWord?>.Continuation
    private let ends: AsyncStream<FieldWord?>

    private var input: FieldInput?
    /// Up to the end of its first line.
    private var order: [UInt8] = []
    private var target: RoomTarget?
    private let began = Instant.now
    private var reader = StreamReader()
    private var fitness = FieldFitness()
    private var clock = FieldClock()
    private var phase = Phase.waiting
    private var hasSound = false
    private var soundFormat: AudioFormat?
    /// Sound that came while the pipeline was being made.
    private var early: [AudioUnit] = []
    private var pipeline: FieldPipeline?
    private var resource: String?
    private var working: Task<Void, Never>?
    /// The room is asked; what it says is waited for whatever becomes of the stream meanwhile.
    private var asking: Task<RoomDoorway.Entry, any Error>?
    private var listening: Task<Void, Never>?

    private enum Phase {
        /// For a key frame.
        case waiting
        /// What is sent becomes known, and the room is asked.
        case entering
        /// The room has it. What it is shown begins with the next key frame: what came before would only make it late.
        case awaitingKey
        case sending
    }

    private static let orderBytes = 16 << 10
    /// What is sent is known within this time, or it is offered as it is; then the answer's path is found.
    private static let knownWithin = Duration.seconds(2)
    private static let connectedWithin = Duration.seconds(10)
    /// A way that is lost may come back.
    private static let lostWithin = Duration.seconds(8)
    private static let tick = Duration.milliseconds(50)
    /// Of sound, some 250 ms.
    private static let earlyFrames = 12
    /// Of what nothing takes on: as much as waits for an output before groups of it are dropped.
    private static let mostQueued = 8 << 20

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameter say: called on any thread.
    package init(_ place: ControlPlace, loop: Loop, log: Log, say: @escaping @Sendable (FieldWord) -> Void) {
        self.loop = loop
        self.log = log
        self.say = say
        door = RoomDoorway(place, loop: loop)
        (ends, endings) = AsyncStream.makeStream(of: FieldWord?.self, bufferingPolicy: .bufferingOldest(1))
    }

    /// Has it leave the room, and `run` return.
    package nonisolated func end() { endings.yield(nil) }

    /// Returns when the stream is in the room no more, and has said why unless it was told to leave.
    package func run() async {
        do {
            try FieldPipeline.prepare()
            listen()
        } catch {
            endings.yield(error.word)
        }
        var last: FieldWord?
        for await word in ends {
            last = word
            break
        }
        input?.close()
        working?.cancel()
        listening?.cancel()
        // Asked already, the room may have it by now: nobody else would take it out before its connection is found dead.
        // try?: where it was refused there is nothing to leave.
        if let asking, let entry = try? await asking.value { resource = entry.resource }
        // Before it is said: whoever hears that it is over ends this process.
        if let target, let resource { await door.leave(target, resource) }
        if let last { say(last) }
        await pipeline?.pipeline.stop()
    }

    private func listen() {
        input = FieldInput(
            on: loop, give: { bytes in self.assumeIsolated { $0.take(bytes) } },
            end: { [log, endings] reason in
                log.info("nothing more comes", ["reason": .text(reason)])
                endings.yield(nil)
            })
    }

    private func fail(_ fault: FieldFault) { endings.yield(fault.word) }

    // MARK: What comes in

    private func take(_ bytes: [UInt8]) {
        guard target == nil else { return feed(bytes) }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            order += bytes
            if order.count > Self.orderBytes { fail(.hopeless("its order has no end")) }
            return
        }
        order += bytes[..<end]
        do {
            target = try JSONDecoder().decode(RoomTarget.self, from: Data(order))
        } catch {
            return fail(.hopeless("its order is none: \(error)"))
        }
        order = []
        feed(Array(bytes[(end + 1)...]))
    }

    private func feed(_ bytes: [UInt8]) {
        var events: [StreamReader.Event] = []
        reader.feed(bytes, arrival: Instant.now - began) { events.append($0) }
        for event in events {
            switch event {
            case .program(let program): take(program)
            case .video(let picture): take(picture)
            case .audio(let sound): take(sound)
            case .group: break
            }
        }
    }

    private func take(_ program: Program) {
        let sounds = program.audio != nil
        if phase != .waiting, sounds != hasSound { fail(.lost(sounds ? "it has sound from now on" : "its sound has ended")) }
        hasSound = sounds
    }

    private func take(_ picture: VideoUnit) {
        if let fault = fitness.fault(of: picture) { return fail(.hopeless(fault)) }
        let isStart = picture.isKey && !picture.isDamaged && picture.format != nil
        switch phase {
        case .waiting:
            guard isStart, let target else { return }
            phase = .entering
            working = loop.spawn { await self.enter(target, beginningWith: picture) }
        case .entering: return
        case .awaitingKey:
            guard isStart else { return }
            phase = .sending
            clock.forget()
            push(picture, isStart: true)
        case .sending: push(picture, isStart: isStart)
        }
    }

    private func take(_ sound: AudioUnit) {
        switch phase {
        case .waiting, .awaitingKey: return
        case .entering:
            // As much as makes it known what is sent; what waits longer would come late.
            guard early.count < Self.earlyFrames else { return }
            early.append(sound)
            if pipeline != nil { push(sound) }
        case .sending: push(sound)
        }
    }

    private func push(_ picture: VideoUnit, isStart: Bool) {
        guard let pipeline, let time = clock.place(picture.presentation, at: pipeline.runningTime, isStart: isStart) else { return }
        pipeline.push(picture, at: time)
    }

    private func push(_ sound: AudioUnit) {
        guard let pipeline, let time = clock.place(sound.presentation, at: pipeline.runningTime, isStart: false) else { return }
        if sound.format != soundFormat {
            soundFormat = sound.format
            pipeline.prepare(for: sound.format)
        }
        pipeline.push(sound, at: time)
    }

    // MARK: Into the room

    private func enter(_ target: RoomTarget, beginningWith picture: VideoUnit) async {
        do {
            let made = try FieldPipeline(hasSound: hasSound, wantsKeyFrame: throttled())
            try await made.pipeline.start()
            pipeline = made
            listening = loop.spawn { await self.hear(made) }
            push(picture, isStart: true)
            for sound in early { push(sound) }
            try await waitUntilKnown(made)
            let offer = try await made.pipeline.offer(of: "peer", sections: made.hasSound ? 2 : 1)
            let asking = Task(executorPreference: loop.tasks) { [door] in
                try await door.enter(target, OfferText.offered(offer))
            }
            self.asking = asking
            let entry = try await asking.value
            try Task.checkCancellation()
            resource = entry.resource
            // webrtcbin is answered in its own words.
            let answer = OfferText.profile(in: offer).map { OfferText.named(entry.answer, $0) } ?? entry.answer
            try await made.pipeline.take(answer: answer, candidates: OfferText.candidates(of: answer), of: "peer")
            try await connect(made)
            phase = .awaitingKey
            log.notice("the stream is in a room", ["room": .text(target.room.text)])
            say(.connected)
            // The one that is sent next by itself may be seconds away.
            say(.keyFrame)
            try await follow(made)
        } catch let fault as FieldFault {
            fail(fault)
        } catch is CancellationError {
            return
        } catch {
            fail(.lost("\(error)"))
        }
    }

    private func waitUntilKnown(_ made: FieldPipeline) async throws {
        let end = Instant.now + Self.knownWithin
        while try !made.isKnown(), Instant.now < end { try await loop.sleep(for: Self.tick) }
        // webrtcbin is told a moment after the payloaders know.
        try await loop.sleep(for: Self.tick)
    }

    private func connect(_ made: FieldPipeline) async throws {
        let end = Instant.now + Self.connectedWithin
        while Instant.now < end {
            switch try made.pipeline.peerState(of: "peer") {
            case .connected: return
            case .failed, .closed: throw FieldFault.lost("this host does not reach the room's worker: its UDP port, or TCP on the same one")
            case .new, .connecting, .disconnected, nil: try await loop.sleep(for: Self.tick)
            }
        }
        let seconds = Self.connectedWithin.milliseconds / 1000
        throw FieldFault.lost("the room's worker does not answer within \(seconds) s: is its UDP port open?")
    }

    /// Until the way to the room is lost.
    private func follow(_ made: FieldPipeline) async throws {
        var seen = Instant.now
        while true {
            try await loop.sleep(for: Self.tick * 4)
            let state = try made.pipeline.peerState(of: "peer")
            if state == .connected { seen = .now }
            if state == .failed || state == .closed || Instant.now - seen > Self.lostWithin {
                throw FieldFault.lost("the room's worker has ended it, or is not reached any more")
            }
            if made.queuedBytes > Self.mostQueued {
                throw FieldFault.lost("it is not sent on: \(made.queuedBytes >> 10) KiB wait on this host")
            }
        }
    }

    /// An element that has failed takes nothing more, and is heard of here alone: what is pushed to it only grows.
    private func hear(_ made: FieldPipeline) async {
        for await message in made.pipeline.messages {
            if case .error(let fault) = message { fail(.lost("this host cannot send it on: \(fault.reason)")) }
        }
    }

    /// Once a second at most: each of them costs the board's links as much as a second of the stream.
    private func throttled() -> @Sendable () -> Void {
        let last = Guarded<Instant?>(nil)
        return { [say] in
            let isDue = last.withLock { last in
                let now = Instant.now
                guard last.map({ now - $0 >= .seconds(1) }) ?? true else { return false }
                last = now
                return true
            }
            if isDue { say(.keyFrame) }
        }
    }
}
