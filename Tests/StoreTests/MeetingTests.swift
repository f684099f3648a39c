import Crypto
import Meetings
import Posix
import SQLite
@testable import Store
import Testing
import Units
import Wire

@Suite("Meetings")
struct MeetingTests {
    private func fixture(_ quotas: [Quota: Int] = [:]) async throws -> (Fixture, StoredMeetings) {
        var limits = Quotas()
        for (quota, limit) in quotas { limits[quota] = limit }
        let fixture = try await Fixture(quotas: limits)
        return (fixture, fixture.store.meetings(in: fixture.scope))
    }

    private func actions(_ fixture: Fixture) async throws -> [AuditAction] {
        try await fixture.store.audit(in: fixture.scope).entries().map(\.action).filter { $0.rawValue.hasPrefix("meeting.") }
            .sorted { $0.rawValue < $1.rawValue }
    }

    @Test("that begin at once have an address, a room and a start; with their end the room is gone")
    func instant() async throws {
        let (fixture, meetings) = try await fixture()
        let rooms = fixture.store.rooms(in: fixture.scope)
        let made = try await meetings.create(CreateMeetingRequest(title: "Stand-up"))
        #expect(made.state == .active && made.type == .video && made.startedAt == fixture.clock.now && made.endedAt == nil)
        #expect(made.createdBy == fixture.owner.id && MeetingSlug(typed: made.slug)?.text == made.slug)
        let room = try #require(made.room)
        #expect(try await rooms.find(room).name == "Stand-up")
        // It is the meeting's, and nobody else's to list or remove.
        #expect(try await rooms.all().isEmpty)
        await #expect(throws: StoreError.missing("room")) { try await rooms.remove(room) }
        await #expect(throws: StoreError.missing("room")) { try await rooms.findOwn(room) }

        fixture.clock.advance(.seconds(60))
        let (ended, closed) = try await meetings.end(made.id)
        #expect(ended.state == .ended && ended.room == nil && closed == room && ended.endedAt == fixture.clock.now)
        await #expect(throws: StoreError.missing("room")) { try await rooms.find(room) }
        await #expect(throws: StoreError.meetingIs(.ended)) { try await meetings.end(made.id) }
        await #expect(throws: StoreError.meetingIs(.ended)) { try await meetings.start(made.id) }
        let cancelled = try await meetings.cancel(made.id)
        #expect(cancelled.meeting.state == .cancelled && cancelled.room == nil && cancelled.meeting.endedAt == ended.endedAt)
        await #expect(throws: StoreError.meetingIs(.cancelled)) { try await meetings.cancel(made.id) }
        #expect(try await actions(fixture) == [.meetingCancelled, .meetingCreated, .meetingEnded, .meetingStarted])
    }

    @Test("that are planned begin when somebody begins them, and drafts are finished by a time")
    func planned() async throws {
        let (fixture, meetings) = try await fixture()
        let (hour, two) = (fixture.clock.now + .seconds(3600), fixture.clock.now + .seconds(7200))
        let made = try await meetings.create(
            CreateMeetingRequest(title: "Talk", description: "All", type: .webinar, scheduledStart: hour.text, scheduledEnd: two.text))
        #expect(made.state == .scheduled && made.scheduledStart == hour && made.scheduledEnd == two && made.room == nil)
        #expect(made.description == "All" && made.type == .webinar)
        fixture.clock.advance(.seconds(1))
        let draft = try await meetings.create(CreateMeetingRequest(title: "Later", draft: true))
        #expect(draft.state == .draft && draft.room == nil)
        await #expect(throws: StoreError.meetingIs(.draft)) { try await meetings.end(draft.id) }
        let finished = try await meetings.change(draft.id, ChangeMeetingRequest(title: "Soon", type: .audio, scheduledStart: hour.text))
        #expect(finished.state == .scheduled && finished.title == "Soon" && finished.type == .audio && finished.scheduledStart == hour)
        let running = try await meetings.start(made.id)
        #expect(running.state == .active && running.room != nil && running.startedAt == fixture.clock.now)
        #expect(try await meetings.page().map(\.id) == [draft.id, made.id])
        #expect(try await meetings.page(state: .active).map(\.id) == [made.id])
        #expect(try await meetings.page(slug: finished.slug).map(\.id) == [draft.id])
        #expect(try await meetings.page(after: draft.id, limit: 1).map(\.id) == [made.id])
    }

    @Test("take no title, time or number that cannot be one, and change nothing then")
    func refusals() async throws {
        let (fixture, meetings) = try await fixture()
        let (past, future) = (fixture.clock.now.text, (fixture.clock.now + .seconds(60)).text)
        let bad: [(CreateMeetingRequest, String)] = [
            (CreateMeetingRequest(title: " "), "meeting.title"), (CreateMeetingRequest(title: "a\u{202e}b"), "meeting.title"),
            (CreateMeetingRequest(title: "T", description: "a\nb"), "meeting.description"),
            (CreateMeetingRequest(title: "T", scheduledStart: past), "meeting.scheduled_start"),
            (CreateMeetingRequest(title: "T", scheduledStart: "tomorrow"), "meeting.scheduled_start"),
            (CreateMeetingRequest(title: "T", scheduledEnd: future), "meeting.scheduled_end"),
            (CreateMeetingRequest(title: "T", scheduledStart: future, scheduledEnd: future), "meeting.scheduled_end"),
            (CreateMeetingRequest(title: "T", settings: MeetingSettings(maxParticipants: 1)), "settings.maxParticipants"),
            (CreateMeetingRequest(title: "T", settings: MeetingSettings(hostsRunAll: true)), "settings.hostsRunAll"),
        ]
        for (request, field) in bad {
            await #expect("\(request)") { try await meetings.create(request) } throws: {
                if case .invalid(let found, _) = $0 as? StoreError { found == field } else { false }
            }
        }
        #expect(try await meetings.page().isEmpty)
        let made = try await meetings.create(CreateMeetingRequest(title: "T"))
        // What it is and when it was to be is settled once it runs; the rest is not.
        let late = [
            ChangeMeetingRequest(type: .audio), ChangeMeetingRequest(scheduledStart: future), ChangeMeetingRequest(scheduledEnd: ""),
        ]
        for change in late {
            await #expect(throws: StoreError.meetingIs(.active)) { try await meetings.change(made.id, change) }
        }
        let changed = try await meetings.change(
            made.id, ChangeMeetingRequest(title: "U", description: "", settings: MeetingSettings(waitingRoom: true)))
        #expect(changed.title == "U" && changed.description == nil && changed.settings == MeetingSettings(waitingRoom: true))
        _ = try await meetings.end(made.id)
        await #expect(throws: StoreError.meetingIs(.ended)) { try await meetings.change(made.id, ChangeMeetingRequest(title: "V")) }
    }

    @Test("are held against the organisation's limits: those that run, and those to come")
    func quotas() async throws {
        let (fixture, meetings) = try await fixture([.meetings: 1, .plannedMeetings: 1, .rooms: 1])
        let first = try await meetings.create(CreateMeetingRequest(title: "A"))
        let full = StoreError.quota(.meetings, limit: 1)
        #expect(full.description == "all 1 active meetings are in use (quotas.meetings = 1)")
        await #expect(throws: full) { try await meetings.create(CreateMeetingRequest(title: "B")) }
        let draft = try await meetings.create(CreateMeetingRequest(title: "C", draft: true))
        await #expect(throws: StoreError.quota(.plannedMeetings, limit: 1)) {
            try await meetings.create(CreateMeetingRequest(title: "D", draft: true))
        }
        await #expect(throws: full) { try await meetings.start(draft.id) }
        // Its room takes none of those that somebody makes.
        _ = try await fixture.store.rooms(in: fixture.scope).create(name: "Studio")
        _ = try await meetings.end(first.id)
        #expect(try await meetings.start(draft.id).state == .active)
    }

    @Test("end by themselves when their time is over, and not before")
    func forgotten() async throws {
        let (fixture, meetings) = try await fixture()
        try await fixture.store.meetingDefaults(in: fixture.scope).save(
            MeetingDefaults(settings: MeetingSettings(maxDurationMinutes: 30), locked: []))
        let first = try await meetings.create(CreateMeetingRequest(title: "A"))
        let stranger = try await fixture.stranger()
        let other = try await fixture.store.meetings(in: stranger).create(CreateMeetingRequest(title: "B"))
        fixture.clock.advance(.seconds(1799))
        #expect(try await fixture.store.endForgottenMeetings().isEmpty)
        fixture.clock.advance(.seconds(1))
        let rooms = (try #require(first.room), try #require(other.room))
        #expect(try await fixture.store.endForgottenMeetings() == [rooms.0])
        #expect(try await meetings.find(first.id).state == .ended)
        #expect(try await fixture.store.meetings(in: stranger).find(other.id).state == .active, "a day, where nobody has said how long")
        fixture.clock.advance(.seconds(86_400))
        #expect(try await fixture.store.endForgottenMeetings() == [rooms.1])
        let entry = try await fixture.store.audit(in: fixture.scope).entries().first { $0.action == .meetingEnded }
        #expect(entry?.authorKind == "system")
    }

    @Test("tell whoever made them, and the users who are in them, that they are over: once each, and nobody who is shut out or a stranger")
    func farewells() async throws {
        let (fixture, meetings) = try await fixture()
        let (store, users) = (fixture.store, fixture.store.users(in: fixture.scope))
        let here = try await users.create(try Fixture.user("here@first.example"), role: .member)
        let shut = try await users.create(try Fixture.user("shut@first.example"), role: .member)
        _ = try await users.deactivate(shut.id)
        let stranger = try #require(try await fixture.stranger().author.user)
        let told = Guarded<[String]>([])
        let farewell: StoredMeetings.Farewell = { user, meeting, organization in
            told.withLock { $0.append("\(user.email): \(meeting.title) in \(organization), \(meeting.state.rawValue)") }
            return NewMail(purpose: .meetingEnded, to: user.email, subject: "s", text: "t", html: "h")
        }
        let made = try await meetings.create(CreateMeetingRequest(title: "Stand-up"))
        _ = try await meetings.end(made.id, telling: [here.id, shut.id, fixture.owner.id, stranger], by: farewell)
        let lines = ["here@first.example: Stand-up in First, ended", "owner@first.example: Stand-up in First, ended"]
        #expect(told.withLock { $0.sorted() } == lines)
        func waiting() async throws -> Int {
            try await store.read { try $0.count(of: .mails, in: fixture.scope, where: "purpose = 'meeting_ended' AND finished_at IS NULL") }
        }
        #expect(try await waiting() == 2)
        // One that nobody has ended tells the same; one that is called off tells nothing.
        let forgotten = try await meetings.create(CreateMeetingRequest(title: "Long"))
        fixture.clock.advance(.seconds(86_400))
        #expect(try await store.endForgottenMeetings(telling: { $0 == forgotten.room ? [here.id] : [] }, by: farewell).count == 1)
        #expect(try await waiting() == 4)
        _ = try await meetings.cancel(try await meetings.create(CreateMeetingRequest(title: "Off")).id)
        #expect(try await waiting() == 4)
    }

    @Test("follow what their organisation has decided, and decide nothing that it has locked")
    func defaults() async throws {
        let (fixture, meetings) = try await fixture([.participants: 20])
        let defaults = fixture.store.meetingDefaults(in: fixture.scope)
        #expect(try await defaults.find() == MeetingDefaults())
        let chosen = MeetingDefaults(settings: MeetingSettings(guestAccess: .open, chat: false, maxParticipants: 50), locked: [.chat])
        try await defaults.save(chosen)
        #expect(try await defaults.find() == chosen)
        let made = try await meetings.create(CreateMeetingRequest(title: "A", settings: MeetingSettings(guestAccess: .disabled)))
        let options = try await meetings.levels(of: made.settings).effective
        #expect(options.guestAccess == .disabled && !options.chat && options.maxParticipants == 20)
        await #expect {
            try await meetings.change(made.id, ChangeMeetingRequest(settings: MeetingSettings(chat: true)))
        } throws: {
            if case .invalid(field: "settings.chat", expected: _) = $0 as? StoreError { true } else { false }
        }
        #expect(try await meetings.find(made.id).settings == made.settings)
        let wrong = MeetingDefaults(settings: MeetingSettings(maxParticipants: 1), locked: [])
        await #expect(throws: StoreError.self) { try await defaults.save(wrong) }
        try await defaults.save(MeetingDefaults(settings: MeetingSettings(chat: true), locked: []))
        try await defaults.save(MeetingDefaults(settings: MeetingSettings(chat: true), locked: []))
        let entries = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .meetingDefaultsChanged }
        #expect(
            Set(entries.map(\.detail))
                == ["guestAccess, chat, maxParticipants, chat locked", "guestAccess, chat, maxParticipants, chat unlocked"])
        #expect(try await fixture.store.meetingDefaults(in: fixture.stranger()).find() == MeetingDefaults())
    }

    @Test("are found by their address whosever they are, and by none that is another's")
    func lookup() async throws {
        let (fixture, meetings) = try await fixture()
        let stranger = try await fixture.stranger()
        let made = try await meetings.create(CreateMeetingRequest(title: "A"))
        let other = try await fixture.store.meetings(in: stranger).create(CreateMeetingRequest(title: "B"))
        let found = try #require(try await fixture.store.identities.meeting(other.slug))
        #expect(found.meeting.id == other.id && found.organization.slug == "second")
        #expect(try await fixture.store.identities.meeting(made.slug)?.organization.slug == "first")
        #expect(try await fixture.store.identities.meeting("0000000000") == nil || made.slug == "0000000000")
        #expect(try await meetings.page(slug: other.slug).isEmpty)
        await #expect {
            try await fixture.store.write { transaction in
                try transaction.update(.meetings, in: fixture.scope, set: ["slug": other.slug], where: "id = \(made.id)")
            }
        } throws: { ($0 as? SQLiteError)?.kind == .duplicate }
    }

    @Test("to another organisation are missing, with their links")
    func strangers() async throws {
        let (fixture, meetings) = try await fixture()
        let made = try await meetings.create(CreateMeetingRequest(title: "A"))
        let secret = Secret("s")
        let link = try await fixture.store.guestLinks(in: fixture.scope).create(
            secret, for: made.id, label: "L", preset: nil, uses: 1, lifetime: .seconds(60))
        let scope = try await fixture.stranger()
        let (store, theirs, links) = (fixture.store, fixture.store.meetings(in: scope), fixture.store.guestLinks(in: scope))
        let attempts: [@Sendable () async throws -> Void] = [
            { _ = try await theirs.find(made.id) }, { _ = try await theirs.change(made.id, ChangeMeetingRequest(title: "x")) },
            { _ = try await theirs.start(made.id) }, { _ = try await theirs.end(made.id) }, { _ = try await theirs.cancel(made.id) },
            { _ = try await links.all(of: made.id) }, { try await links.withdraw(link.id, of: made.id) },
            { _ = try await links.create(Secret("x"), for: made.id, label: "L", preset: nil, uses: 1, lifetime: .seconds(60)) },
            { _ = try await store.rooms(in: scope).find(try #require(made.room)) },
        ]
        for (index, attempt) in attempts.enumerated() {
            await #expect("attempt \(index)") { try await attempt() } throws: {
                if case .missing = $0 as? StoreError { true } else { false }
            }
        }
        #expect(try await theirs.page().isEmpty)
        let own = try await theirs.create(CreateMeetingRequest(title: "B"))
        #expect(try await store.identities.guestLink(secret, of: own.id) == nil, "a link is of its own meeting")
    }
}

@Suite("Guest links")
struct GuestLinkTests {
    private func fixture() async throws -> (Fixture, GuestLinks, Meeting) {
        var quotas = Quotas()
        quotas[.guestLinks] = 2
        let fixture = try await Fixture(quotas: quotas)
        let meeting = try await fixture.store.meetings(in: fixture.scope).create(CreateMeetingRequest(title: "A", type: .webinar))
        return (fixture, fixture.store.guestLinks(in: fixture.scope), meeting)
    }

    @Test("are good for so many guests, until their end, until they are withdrawn, and until the meeting is over")
    func good() async throws {
        let (fixture, links, meeting) = try await fixture()
        let identities = fixture.store.identities
        func make(_ text: String, uses: Int = 1, _ preset: PresetName? = nil) async throws -> GuestLink {
            try await links.create(Secret(text), for: meeting.id, label: text, preset: preset, uses: uses, lifetime: .seconds(60))
        }
        let first = try await make("1", uses: 2, .webinarGuest)
        #expect(first.preset == .webinarGuest && first.uses == 0 && first.mostUses == 2)
        #expect(try await identities.useGuestLink(Secret("1"), of: meeting.id, from: "192.0.2.9").uses == 1)
        #expect(try await identities.guestLink(Secret("1"), of: meeting.id)?.lastUsedAt == fixture.clock.now)
        _ = try await identities.useGuestLink(Secret("1"), of: meeting.id, from: "192.0.2.9")
        await #expect(throws: StoreError.linkRefused) { try await identities.useGuestLink(Secret("1"), of: meeting.id, from: "a") }

        let second = try await make("2")
        #expect(try await links.all(of: meeting.id) == [second], "what is used up is no link any more")
        try await links.withdraw(second.id, of: meeting.id)
        #expect(try await identities.guestLink(Secret("2"), of: meeting.id) == nil)
        await #expect(throws: StoreError.missing("guest link")) { try await links.withdraw(second.id, of: meeting.id) }

        _ = try await make("3")
        fixture.clock.advance(.seconds(59))
        #expect(try await identities.guestLink(Secret("3"), of: meeting.id) != nil)
        fixture.clock.advance(.seconds(1))
        #expect(try await identities.guestLink(Secret("3"), of: meeting.id) == nil)

        _ = try await make("4")
        fixture.clock.advance(.seconds(-120))
        #expect(try await identities.guestLink(Secret("4"), of: meeting.id) == nil, "the clock was set back: it would be good for too long")
        fixture.clock.advance(.seconds(120))
        _ = try await fixture.store.meetings(in: fixture.scope).end(meeting.id)
        #expect(try await identities.guestLink(Secret("4"), of: meeting.id) == nil)
        await #expect(throws: StoreError.meetingIs(.ended)) { try await make("5") }
        for unknown in ["", "5"] { #expect(try await identities.guestLink(Secret(unknown), of: meeting.id) == nil) }
        let used = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .guestLinkUsed }
        #expect(used.count == 2 && used.allSatisfy { $0.authorKind == "visitor" && $0.address == "192.0.2.9" })
    }

    @Test("make nobody a host, nor anything that the meeting does not have; there are so many of a meeting, and their secrets are nowhere")
    func refusals() async throws {
        let (fixture, links, meeting) = try await fixture()
        func make(_ text: String, _ preset: PresetName? = nil) async throws -> GuestLink {
            try await links.create(Secret(text), for: meeting.id, label: "L", preset: preset, uses: 1, lifetime: .seconds(60))
        }
        for preset in [PresetName.webinarHost, .videoGuest, .livestreamViewer] {
            await #expect("\(preset)") { try await make("x", preset) } throws: {
                if case .invalid(field: "guest_link.preset", expected: _) = $0 as? StoreError { true } else { false }
            }
        }
        _ = try await make("a secret of a link")
        _ = try await make("2")
        await #expect(throws: StoreError.quota(.guestLinks, limit: 2)) { try await make("3") }
        fixture.clock.advance(.seconds(60))
        _ = try await make("3")
        let stored = try await fixture.store.read { transaction in
            try transaction.across(.operation).all("SELECT hash FROM guest_links") { row -> [UInt8] in try row["hash"] }
        }
        #expect(Set(stored) == Set(["a secret of a link", "2", "3"].map { SHA256.hash($0) }))
        fixture.clock.advance(.seconds(31 * 86_400))
        try await fixture.store.operations.removeExpired()
        let left = try await fixture.store.read { try $0.count(of: .guestLinks, in: fixture.scope, where: "TRUE") }
        #expect(left == 0)
    }

    @Test("that many come by at once let in as many as they say")
    func race() async throws {
        let (fixture, links, meeting) = try await fixture()
        _ = try await links.create(Secret("s"), for: meeting.id, label: "L", preset: nil, uses: 3, lifetime: .seconds(60))
        let came = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    // try?: who is refused has not come.
                    (try? await fixture.store.identities.useGuestLink(Secret("s"), of: meeting.id, from: "a")) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(came == 3)
    }
}
