import Blobs
@testable import Store
import Testing
import Units
import Wire

@Suite("Recordings of broadcasts")
struct RecordingTests {
    private static let digest = String(repeating: "0a", count: 32)

    private func newID<Kind>(_ fixture: Fixture) -> ID<Kind> {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
    }

    /// A broadcast that has begun.
    private func begin(_ fixture: Fixture, asked: Bool?, sender: Device? = nil) async throws -> BroadcastID {
        let id: BroadcastID = newID(fixture)
        let camera = if let sender { sender } else { try await fixture.sender("Camera of \(id)") }
        try await fixture.store.broadcasts(in: fixture.scope).create(
            id, sender: camera.id, state: "starting", document: "{}", streamKey: Secret("k"),
            recording: RecordingWish(isAsked: asked, place: .disk))
        fixture.clock.advance(.milliseconds(5))
        return id
    }

    private func end(_ fixture: Fixture, _ id: BroadcastID) async throws {
        try await fixture.store.broadcasts(in: fixture.scope).save(id, state: "ended", document: "{}", hasEnded: true)
    }

    private func recordings(_ fixture: Fixture) async throws -> [Recording] {
        try await fixture.store.recordings(in: fixture.scope).page(RecordingQuery())
    }

    private func file(_ number: Int = 1, bytes: Int = 100) -> RecordedFile {
        RecordedFile(
            number: number, bytes: bytes, sha256: Self.digest, beganAtMs: 1_800_000_000_000, durationMs: 2000, codecs: "avc1", width: 640,
            height: 360)
    }

    /// What a host has of a lease, all of it stored.
    private func store(_ fixture: Fixture, _ take: RecordedTake, on host: DeviceID) async throws {
        let moves = fixture.store.recordingMoves
        guard case .move(let moving) = try await moves.decide(take, on: host) else {
            Issue.record("it is not moved")
            return
        }
        for file in take.files {
            _ = try await moves.expect(file, of: moving)
            try await moves.stored(file, of: moving)
        }
        try await moves.finished(take, of: moving)
    }

    @Test("what the organisation has decided says which broadcasts are recorded, and who asks against it is refused")
    func policies() async throws {
        let fixture = try await Fixture()
        let all = fixture.store.recordings(in: fixture.scope)
        #expect(try await all.settings() == RecordingSettingsView(policy: .asked, keepDays: 0))
        for asked in [nil, false] { _ = try await begin(fixture, asked: asked) }
        #expect(try await recordings(fixture).isEmpty)
        _ = try await begin(fixture, asked: true)
        try await all.change(RecordingSettingsView(policy: .always))
        for asked in [nil, false, true] { _ = try await begin(fixture, asked: asked) }
        #expect(try await recordings(fixture).map(\.state) == [.invoked, .invoked, .invoked, .invoked])
        try await all.change(RecordingSettingsView(policy: .never))
        await #expect(throws: StoreError.invalid(field: "recording.record", expected: "false: the organisation records no broadcasts")) {
            _ = try await begin(fixture, asked: true)
        }
        _ = try await begin(fixture, asked: nil)
        #expect(try await recordings(fixture).count == 4)
        await #expect { try await all.change(RecordingSettingsView(policy: .asked, keepDays: 8)) } throws: {
            if case .invalid("recording.keep_days", _) = $0 as? StoreError { true } else { false }
        }
        let actions = try await fixture.store.audit(in: fixture.scope).entries().map(\.action)
        #expect(actions.filter { $0 == .recordingSettingsChanged }.count == 2)
    }

    @Test("a full store refuses who asks for a recording, and is named by the one that nobody asked for")
    func quota() async throws {
        var quotas = Quotas()
        quotas[.storage] = 1
        let fixture = try await Fixture(quotas: quotas)
        let logo = BlobKey([1], .png, in: .branding, of: fixture.scope.organization)
        try await fixture.store.files(in: fixture.scope).add(logo, bytes: 1 << 20)
        await #expect(throws: StoreError.quota(.storage, limit: 1)) { _ = try await begin(fixture, asked: true) }
        try await fixture.store.recordings(in: fixture.scope).change(RecordingSettingsView(policy: .always))
        let id = try await begin(fixture, asked: nil)
        let recording = try #require(try await recordings(fixture).first)
        #expect(recording.state == .errored && recording.reason?.contains("1 MiB") == true)
        #expect(try await fixture.store.recordings(in: fixture.scope).take(of: id, by: newID(fixture), on: newID(fixture)) == nil)
    }

    @Test("from the wish to the library: its states are told to webhooks, and what is stored is counted")
    func course() async throws {
        let fixture = try await Fixture()
        let hook = try WebhookFields(url: "https://example.org/hook", description: "ours", kinds: nil, active: true)
        _ = try await fixture.store.webhooks(in: fixture.scope).create(hook)
        let all = fixture.store.recordings(in: fixture.scope)
        let id = try await begin(fixture, asked: true, sender: try await fixture.sender("Camera"))
        let (lease, host): (LeaseID, DeviceID) = (newID(fixture), newID(fixture))
        let spec = try #require(try await all.take(of: id, by: lease, on: host))
        #expect(spec.organization == fixture.scope.organization)
        // Asked again, as after a restart of the receiver, it is the same.
        #expect(try await all.take(of: id, by: lease, on: host) == spec)
        try await all.began(of: id)
        try await all.began(of: id)
        #expect(try await recordings(fixture).map(\.state) == [.recording])
        await #expect(throws: StoreError.recordingRuns) { try await all.remove(spec.id) }
        let take = RecordedTake(
            lease: lease, recording: spec.id, organization: spec.organization, files: [file(), file(2, bytes: 50)], damagedFragments: 0)
        #expect(try await fixture.store.recordingMoves.decide(take, on: host) == .wait)
        try await end(fixture, id)
        #expect(try await recordings(fixture).map(\.state) == [.uploading])
        try await store(fixture, take, on: host)
        let ready = try #require(try await recordings(fixture).first)
        #expect(ready.state == .ready && ready.bytes == 150 && ready.durationMs == 4000 && ready.name == "Camera")
        #expect(try await fixture.store.shares(in: fixture.scope).first { $0.quota == .storage }?.used == 150)
        let told = try await fixture.store.deliveries(in: fixture.scope).newest().filter { $0.kind == "recording.state_changed" }
        #expect(told.map(\.summary).reversed() == ["invoked", "invoked to recording", "recording to uploading", "uploading to ready"])
        let stranger = try await fixture.stranger()
        #expect(try await fixture.store.recordings(in: stranger).page(RecordingQuery()).isEmpty)
        await #expect(throws: StoreError.missing("recording")) { _ = try await fixture.store.recordings(in: stranger).find(spec.id) }
        #expect(try await fixture.store.recordings(in: stranger).files(of: spec.id).isEmpty)
    }

    @Test("a recording of two hosts is ready when both have brought theirs, and says what one of them never had")
    func twoHosts() async throws {
        let fixture = try await Fixture()
        let all = fixture.store.recordings(in: fixture.scope)
        let id = try await begin(fixture, asked: true)
        let (first, second): (LeaseID, LeaseID) = (newID(fixture), newID(fixture))
        let (host, other): (DeviceID, DeviceID) = (newID(fixture), newID(fixture))
        let spec = try #require(try await all.take(of: id, by: first, on: host))
        _ = try await all.take(of: id, by: second, on: other)
        try await end(fixture, id)
        let take = RecordedTake(lease: first, recording: spec.id, organization: spec.organization, files: [file()], damagedFragments: 2)
        try await store(fixture, take, on: host)
        #expect(try await recordings(fixture).map(\.state) == [.uploading])
        #expect(try await fixture.store.recordingMoves.missing(on: other, present: []) == 0, "it may be on its way")
        fixture.clock.advance(.seconds(121))
        #expect(try await fixture.store.recordingMoves.missing(on: other, present: [second]) == 0)
        #expect(try await fixture.store.recordingMoves.missing(on: other, present: []) == 1, "it had it once")
        let ready = try #require(try await recordings(fixture).first)
        #expect(ready.state == .ready && ready.reason?.contains("1 of its 2 takes") == true && ready.reason?.contains("2 pieces") == true)
        // It was there all the same.
        let late = RecordedTake(lease: second, recording: spec.id, organization: spec.organization, files: [file()], damagedFragments: 0)
        try await store(fixture, late, on: other)
        #expect(try await recordings(fixture).first?.bytes == 200)
    }

    @Test("a take that its host did not have comes all the same, and where the host has found less of it, less is counted")
    func late() async throws {
        let fixture = try await Fixture()
        let (all, moves) = (fixture.store.recordings(in: fixture.scope), fixture.store.recordingMoves)
        let id = try await begin(fixture, asked: true)
        let (lease, host): (LeaseID, DeviceID) = (newID(fixture), newID(fixture))
        let spec = try #require(try await all.take(of: id, by: lease, on: host))
        try await end(fixture, id)
        fixture.clock.advance(.seconds(121))
        // As of a disk that is not there.
        #expect(try await moves.missing(on: host, present: []) == 0)
        #expect(try await recordings(fixture).map(\.state) == [.errored])
        let files = [file(), file(2, bytes: 50)]
        let take = RecordedTake(lease: lease, recording: spec.id, organization: spec.organization, files: files, damagedFragments: 0)
        guard case .move(let moving) = try await moves.decide(take, on: host) else {
            Issue.record("it is not moved")
            return
        }
        for file in files { _ = try await moves.expect(file, of: moving) }
        try await moves.sent(ObjectPart(number: 1, bytes: 40, tag: "a"), 1, of: moving)
        let coming = try #require(try await all.arriving(of: [spec.id])[spec.id])
        #expect(coming.expected == 150 && coming.arrived == 40)
        for file in files { try await moves.stored(file, of: moving) }
        #expect(try await all.arriving(of: [spec.id])[spec.id]?.arrived == 0, "what is stored is counted with the recording")
        let less = RecordedTake(lease: lease, recording: spec.id, organization: spec.organization, files: [file()], damagedFragments: 1)
        try await store(fixture, less, on: host)
        let ready = try #require(try await recordings(fixture).first)
        #expect(ready.state == .ready && ready.bytes == 100 && ready.durationMs == 2000)
    }

    @Test("a broadcast that was over before its first picture leaves a recording that says so")
    func nothing() async throws {
        let fixture = try await Fixture()
        let all = fixture.store.recordings(in: fixture.scope)
        try await end(fixture, try await begin(fixture, asked: true))
        let id = try await begin(fixture, asked: true)
        let (lease, host): (LeaseID, DeviceID) = (newID(fixture), newID(fixture))
        let spec = try #require(try await all.take(of: id, by: lease, on: host))
        try await end(fixture, id)
        let take = RecordedTake(lease: lease, recording: spec.id, organization: spec.organization, files: [], damagedFragments: 0)
        try await store(fixture, take, on: host)
        // A lease that its host never came to record.
        let refused = try await begin(fixture, asked: true)
        let idle: DeviceID = newID(fixture)
        _ = try await all.take(of: refused, by: newID(fixture), on: idle)
        try await end(fixture, refused)
        fixture.clock.advance(.seconds(121))
        #expect(try await fixture.store.recordingMoves.missing(on: idle, present: []) == 0)
        #expect(try await recordings(fixture).map(\.state) == [.errored, .errored, .errored])
        #expect(try await recordings(fixture).allSatisfy { $0.reason != nil })
    }

    @Test("recordings are found by a part of their name, their state, their sender and their time, part for part")
    func finding() async throws {
        let fixture = try await Fixture()
        let all = fixture.store.recordings(in: fixture.scope)
        let cameras = [try await fixture.sender("Nave"), try await fixture.sender("Choir 100%")]
        for camera in cameras { for _ in 0..<3 { try await end(fixture, try await begin(fixture, asked: true, sender: camera)) } }
        func found(_ change: (inout RecordingQuery) -> Void) async throws -> [Recording] {
            var query = RecordingQuery()
            change(&query)
            return try await all.page(query)
        }
        #expect(try await found { $0.search = "nav" }.count == 3)
        #expect(try await found { $0.search = "%" }.count == 3)
        #expect(try await found { $0.search = "_" }.isEmpty)
        #expect(try await found { $0.sender = cameras[0].id }.count == 3)
        #expect(try await found { $0.state = .errored }.count == 6)
        #expect(try await found { $0.state = .ready }.isEmpty)
        let every = try await found { _ in }
        #expect(try await found { $0.search = every[4].broadcast.text }.map(\.id) == [every[4].id])
        #expect(try await found { $0.from = every[1].createdAt }.count == 2)
        #expect(try await found { $0.to = every[1].createdAt }.count == 4)
        let first = try await found { $0.limit = 4 }
        let rest = try await found {
            $0.limit = 4
            $0.before = first.last?.id
        }
        #expect((first + rest).map(\.id) == every.map(\.id) && rest.count == 2)
    }

    @Test("what is older than it is kept goes, is in no list then, and stands in the audit log; its files follow")
    func retention() async throws {
        let fixture = try await Fixture()
        let all = fixture.store.recordings(in: fixture.scope)
        let id = try await begin(fixture, asked: true)
        let (lease, host): (LeaseID, DeviceID) = (newID(fixture), newID(fixture))
        let spec = try #require(try await all.take(of: id, by: lease, on: host))
        try await end(fixture, id)
        let take = RecordedTake(lease: lease, recording: spec.id, organization: spec.organization, files: [file()], damagedFragments: 0)
        try await store(fixture, take, on: host)
        fixture.clock.advance(.seconds(400 * 86_400))
        let moves = fixture.store.recordingMoves
        #expect(try await moves.outlived().isEmpty, "kept until somebody removes it")
        try await all.change(RecordingSettingsView(policy: .asked, keepDays: 365))
        let outlived = try await moves.outlived()
        #expect(outlived.map(\.id) == [spec.id])
        try await moves.remove(outlived)
        // Somebody was faster.
        try await moves.remove(outlived)
        #expect(try await recordings(fixture).isEmpty)
        await #expect(throws: StoreError.missing("recording")) { _ = try await all.find(spec.id) }
        var removed = RecordingQuery()
        removed.state = .expired
        #expect(try await all.page(removed).first?.reason == "recordings are kept for 365 days")
        let entry = try #require(try await fixture.store.audit(in: fixture.scope).entries().first { $0.action == .recordingRemoved })
        #expect(entry.authorKind == "system" && entry.subject == spec.id.text)
        #expect(try await fixture.store.recordingMoves.uncleared(at: [.bucket]).isEmpty, "it lies on the disk")
        let gone = try await fixture.store.recordingMoves.uncleared()
        #expect(gone.map(\.id) == [spec.id])
        #expect(try await fixture.store.shares(in: fixture.scope).first { $0.quota == .storage }?.used == 100, "until its files are gone")
        try await fixture.store.recordingMoves.cleared(try #require(gone.first))
        #expect(try await fixture.store.shares(in: fixture.scope).first { $0.quota == .storage }?.used == 0)
        #expect(try await fixture.store.recordingMoves.decide(take, on: host) == .discard)
    }
}
