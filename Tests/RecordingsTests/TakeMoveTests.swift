import Crypto
import HTTP
import Posix
import Support
import Testing
import Units
import Wire

@testable import Blobs
@testable import Recordings
@testable import Store

/// Takes on their way from a host into a store on disk, which somebody kills again and again.
@Suite(.timeLimit(.minutes(2)))
struct TakeMoveTests {
    private struct Killed: Error {}

    /// Counts what is done, and ends it at a step.
    private final class Steps: Sendable {
        private let left: Guarded<Int>
        init(_ count: Int) { left = Guarded(count) }
        func take() throws {
            try left.withLock { left in
                guard left > 0 else { throw Killed() }
                left -= 1
            }
        }
    }

    /// A store that is killed before or behind any of its calls.
    private struct Mortal: ObjectStore {
        let store: any ObjectStore
        let steps: Steps

        private func mortally<Value>(_ body: () async throws -> Value) async throws -> Value {
            try steps.take()
            let value = try await body()
            try steps.take()
            return value
        }

        func put(_ bytes: [UInt8], to key: ObjectKey, type: String) async throws -> ObjectFacts {
            try await mortally { try await store.put(bytes, to: key, type: type) }
        }
        func get(_ key: ObjectKey, _ range: ByteRange?) async throws -> ObjectBytes? {
            try await mortally { try await store.get(key, range) }
        }
        func find(_ key: ObjectKey) async throws -> ObjectFacts? { try await store.find(key) }
        func remove(_ key: ObjectKey) async throws { try await store.remove(key) }
        func list(_ prefix: ObjectPrefix, page: String?, most: Int) async throws -> ObjectPage {
            try await store.list(prefix, page: page, most: most)
        }
        func begin(_ key: ObjectKey, type: String, sha256: String?) async throws -> ObjectUpload {
            try await mortally { try await store.begin(key, type: type, sha256: sha256) }
        }
        func send(_ bytes: [UInt8], as number: Int, of upload: ObjectUpload) async throws -> ObjectPart {
            try await mortally { try await store.send(bytes, as: number, of: upload) }
        }
        func complete(_ upload: ObjectUpload, _ parts: [ObjectPart]) async throws -> ObjectFacts {
            try await mortally { try await store.complete(upload, parts) }
        }
        func abandon(_ upload: ObjectUpload) async throws { try await store.abandon(upload) }
        func link(to use: ObjectUse, _ key: ObjectKey, for seconds: Int64) async throws -> ObjectLink {
            try await store.link(to: use, key, for: seconds)
        }
        func usage(of organization: OrganizationID) async throws -> ObjectUsage { try await store.usage(of: organization) }
    }

    /// An organisation with a broadcast that was recorded on a host and is over.
    private struct World {
        let store: ControlStore
        let scope: OrganizationScope
        /// What Support calls so is another thing.
        let recording: Store.Recording
        let lease = LeaseID("0000000000000000000000000A")!
        let host = DeviceID("0000000000000000000000000B")!
        let blobs: BlobStore
        let folder: TemporaryFolder
        let loop: Loop

        init() async throws {
            let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "test")
            let user = try NewUser(email: "owner@first.example", displayName: "Olga", passwordHash: Secret("$argon2id$test"))
            let (organization, _) = try await store.organizations.create(name: "First", slug: "first", owner: user, by: .operator)
            let scope = OrganizationScope(organization.id, by: .system)
            let token = Secret(Hex.encode(randomBytes(16)))
            _ = try await store.enrollmentTokens(in: scope).create(token, label: "Board", lifetime: .seconds(3600))
            let sender = try await store.identities.redeem(token, publicKey: randomBytes(32), name: "Board", kind: .sender)
            let broadcast = BroadcastID("0000000000000000000000000C")!
            let broadcasts = store.broadcasts(in: scope)
            try await broadcasts.create(
                broadcast, sender: sender.id, state: "live", document: "{}", streamKey: Secret("k"),
                recording: RecordingWish(isAsked: true, place: .disk))
            _ = try await store.recordings(in: scope).take(of: broadcast, by: lease, on: host)
            try await broadcasts.save(broadcast, state: "ended", document: "{}", hasEnded: true)
            let made = try await store.recordings(in: scope).page(RecordingQuery()).first
            guard let made else { throw SupportFailure("nothing is recorded") }
            (self.store, self.scope, recording) = (store, scope, made)
            folder = try TemporaryFolder()
            loop = try Loop(name: "blobs")
            blobs = BlobStore(BlobFolder(folder["blobs"]), signer: BlobSigner(key: [UInt8](repeating: 7, count: 32)), on: loop)
        }

        /// What the host says that it has of some files.
        func recorded(_ files: [[UInt8]]) -> RecordedTake {
            RecordedTake(
                lease: lease, recording: recording.id, organization: scope.organization,
                files: files.enumerated().map { index, bytes in
                    RecordedFile(
                        number: index + 1, bytes: bytes.count, sha256: Hex.encode(SHA256.hash(bytes)), beganAtMs: 1_800_000_000_000,
                        durationMs: 1000, codecs: "avc1.42c01f", width: 640, height: 360)
                }, damagedFragments: 0)
        }

        func move(_ files: [[UInt8]], _ steps: Steps? = nil, told: RecordedTake? = nil) async throws {
            let take = told ?? recorded(files)
            guard case .move(let moving) = try await store.recordingMoves.decide(take, on: host) else {
                throw SupportFailure("it is not moved")
            }
            let objects: any ObjectStore = if let steps { Mortal(store: blobs, steps: steps) } else { blobs }
            try await TakeMove(recorded: take, take: moving, objects: objects, moves: store.recordingMoves) { ask in
                try steps?.take()
                guard ask.file > 0 else { throw Killed() }
                return Array(files[ask.file - 1][ask.offset..<ask.offset + ask.count])
            }.run()
        }
    }

    @Test("a move that is killed at any step goes on from there, and ends with the whole, once and verified")
    func killedAnywhere() async throws {
        let files = [[UInt8](repeating: 1, count: 9 << 20), Array("small".utf8)]
        var (killed, count) = (0, 1)
        while true {
            let world = try await World()
            defer { world.loop.stop() }
            // Killed at this step, then left alone.
            do {
                try await world.move(files, Steps(count))
                break
            } catch is Killed {
                killed += 1
            }
            #expect(try await world.store.recordings(in: world.scope).find(world.recording.id).state == .uploading)
            try await world.move(files)
            try await expectWhole(world, files, "killed at step \(count)")
            count += 3
        }
        #expect(killed > 6, "\(killed)")
    }

    private func expectWhole(_ world: World, _ files: [[UInt8]], _ what: String) async throws {
        let stored = try await world.store.recordings(in: world.scope).files(of: world.recording.id)
        #expect(stored.count == files.count && stored.allSatisfy { $0.storedAt != nil && $0.upload == nil }, "\(what)")
        for (file, bytes) in zip(stored, files) {
            #expect(try await world.blobs.get(file.key, nil)?.bytes == bytes, "\(what)")
        }
        let recording = try await world.store.recordings(in: world.scope).find(world.recording.id)
        #expect(recording.state == .ready && recording.bytes == files.reduce(0) { $0 + $1.count } && recording.reason == nil, "\(what)")
        #expect(try await world.store.recordingMoves.decide(world.recorded(files), on: world.host) == .discard)
    }

    @Test("what is not what the host said is not taken for stored, and comes anew once the host has looked again")
    func otherBytes() async throws {
        let world = try await World()
        defer { world.loop.stop() }
        let (good, bad) = (Array("a good film".utf8), Array("a bad film.".utf8))
        await #expect(throws: MoveFault.otherFile(1)) { try await world.move([bad], told: world.recorded([good])) }
        #expect(try await world.store.recordings(in: world.scope).find(world.recording.id).state == .uploading)
        try await world.move([bad])
        try await expectWhole(world, [bad], "what it has by now")
    }

    @Test("a recording that is removed while it comes leaves nothing, and its host is told to discard it")
    func removed() async throws {
        let world = try await World()
        defer { world.loop.stop() }
        let files = [[UInt8](repeating: 1, count: 9 << 20)]
        await #expect(throws: Killed.self) { try await world.move(files, Steps(8)) }
        try await world.store.recordings(in: world.scope).remove(world.recording.id)
        #expect(try await world.store.recordingMoves.decide(world.recorded(files), on: world.host) == .discard)
        let gone = try #require(try await world.store.recordingMoves.uncleared().first)
        for upload in try await world.store.recordingMoves.uploads(of: gone) { try await world.blobs.abandon(upload) }
        try await world.store.recordingMoves.cleared(gone)
        #expect(try await world.store.recordingMoves.uncleared().isEmpty)
        #expect(try await world.store.recordings(in: world.scope).files(of: gone.id).isEmpty)
    }

    @Test("another host, and a take that nobody knows, are not believed; what such a host has of nothing it need not keep")
    func strangers() async throws {
        let world = try await World()
        defer { world.loop.stop() }
        let other = DeviceID("0000000000000000000000000D")!
        #expect(try await world.store.recordingMoves.decide(world.recorded([[1]]), on: other) == .unknown)
        #expect(try await world.store.recordingMoves.decide(world.recorded([]), on: other) == .discard)
        var take = world.recorded([])
        take.lease = LeaseID("0000000000000000000000000E")!
        #expect(try await world.store.recordingMoves.decide(take, on: world.host) == .unknown)
    }

    @Test("parts are as large for a file whenever it is asked, and few enough")
    func parts() {
        for bytes in [1, 8 << 20, 1 << 30, 100 << 30, 500 << 30] {
            let size = TakeMove.partBytes(of: bytes)
            #expect((8 << 20...64 << 20).contains(size) && (bytes + size - 1) / size <= 10_000, "\(bytes)")
        }
    }
}
