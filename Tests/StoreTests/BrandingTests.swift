import Blobs
import SQLite
import Testing
import Units
import Wire

@testable import Store

@Suite("An organisation's branding")
struct BrandingTests {
    private func key(_ byte: UInt8, _ scope: OrganizationScope, in area: BlobArea = .branding) -> BlobKey {
        BlobKey([byte], .png, in: area, of: scope.organization)
    }

    private func change(_ fixture: Fixture, _ set: (inout ChangeBrandingRequest) -> Void) async throws -> Branding {
        var request = ChangeBrandingRequest()
        set(&request)
        return try await fixture.store.brandings(in: fixture.scope).change(request)
    }

    @Test("is none until somebody chooses, changes by what is given alone, and each change is in the audit log")
    func changes() async throws {
        let fixture = try await Fixture()
        let brandings = fixture.store.brandings(in: fixture.scope)
        #expect(try await brandings.find() == nil)
        let first = try await change(fixture) { ($0.mode, $0.brand) = (.light, "#b56927") }
        #expect(first.theme.mode == .light && first.theme.brand == "#B56927" && first.theme.corners == .rounded && first.logo == nil)
        let second = try await change(fixture) { ($0.corners, $0.spacing, $0.textOnPrimary) = (.sharp, 6, "#000000") }
        #expect(second.theme.brand == "#B56927" && second.theme.corners == .sharp && second.theme.spacing == 6)
        #expect(try await brandings.find() == second)
        let third = try await change(fixture) { $0.textOnPrimary = "" }
        #expect(third.theme.textOnPrimary == nil)
        _ = try await change(fixture) { $0.corners = .sharp }
        let entries = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .brandingChanged }
        #expect(entries.compactMap(\.detail).sorted() == ["other tokens", "other tokens", "theme light, brand #B56927"])
        #expect(try await fixture.store.brandings(in: fixture.stranger()).find() == nil)
    }

    @Test("takes no colour that is none or that nobody can read, and says the contrast that it would have")
    func contrast() async throws {
        let fixture = try await Fixture()
        for text in ["red", "#12345", "#1234567", "#12345g", "##12345", "#", "url(x)", "#000000;", "var(--x)", "#\u{661}23456"] {
            await #expect(throws: StoreError.invalid(field: "branding.brand", expected: "a colour such as #2563EB"), "\(text)") {
                try await change(fixture) { ($0.mode, $0.brand) = (.light, text) }
            }
        }
        func refusal(_ set: (inout ChangeBrandingRequest) -> Void) async throws -> StoreError? {
            do {
                _ = try await change(fixture, set)
                return nil
            } catch let error as StoreError {
                return error
            }
        }
        let dark = try await refusal { $0.text = "#333333" }, same = try await refusal { $0.textOnPrimary = "#2563EB" }
        #expect(dark?.description.contains("a contrast of 1.4 to 1, and needs 4.5") == true)
        #expect(same?.description.contains("a contrast of 1.0 to 1") == true)
        guard case .invalid("branding.background", _)? = try await refusal({ $0.background = "#808080" }) else {
            Issue.record("a grey that our warnings cannot be read on was taken")
            return
        }
        #expect(try await refusal { ($0.mode, $0.background) = (.light, "#101010") } != nil)
        #expect(try await refusal { ($0.spacing) = 9 } != nil)
        #expect(try await refusal { ($0.logoHeight) = 15 } != nil)
        #expect(try await fixture.store.brandings(in: fixture.scope).find() == nil, "nothing of what was refused is there")
        // What is there is judged with what is new: a text that was good on its ground may not be on another one.
        #expect(try await refusal { ($0.background, $0.text) = ("#001020", "#8090A0") } == nil)
        #expect(try await refusal { ($0.mode, $0.background) = (.light, "") } != nil)
        #expect(try await refusal { ($0.mode, $0.background, $0.text) = (.light, "", "") } == nil)
    }

    @Test("has the contrasts of WCAG")
    func figures() throws {
        let (black, white) = (try #require(Colour("#000000")), try #require(Colour("#FFFFFF")))
        #expect(abs(black.contrast(with: white) - 21) < 0.001 && white.contrast(with: white) == 1)
        // The examples that textbooks have for the limit: #767676 on white is just readable, #777777 is not.
        #expect(try #require(Colour("#767676")).contrast(with: white) >= Colour.readable)
        #expect(try #require(Colour("#777777")).contrast(with: white) < Colour.readable)
    }

    @Test("shows files that were uploaded to it, none of another organisation's or of people's, and none that never were")
    func pictures() async throws {
        let fixture = try await Fixture()
        let stranger = try await fixture.stranger()
        let (logo, theirs) = (key(1, fixture.scope), key(2, stranger))
        let face = key(3, fixture.scope, in: .avatars)
        try await fixture.store.files(in: fixture.scope).add(logo, bytes: 1)
        try await fixture.store.files(in: fixture.scope).add(face, bytes: 1)
        try await fixture.store.files(in: stranger).add(theirs, bytes: 1)
        for name in [theirs.name, face.name, key(4, fixture.scope).name, "../../../strata.db", "x"] {
            await #expect(throws: StoreError.self) { try await change(fixture) { ($0.mode, $0.logo) = (.light, name) } }
        }
        #expect(try await change(fixture) { $0.logo = logo.name }.logo == logo.name)
        #expect(try await change(fixture) { $0.icon = logo.name }.icon == logo.name)
        #expect(try await change(fixture) { $0.logo = "" }.logo == nil)
        #expect(try await fixture.store.files(in: stranger).find(logo) == nil)
    }

    @Test("what it has been given and does not show is forgotten after an hour; what it shows is not")
    func unused() async throws {
        let fixture = try await Fixture()
        let files = fixture.store.files(in: fixture.scope), keys = [1, 2, 3].map { key($0, fixture.scope) }
        for key in keys { try await files.add(key, bytes: 1) }
        _ = try await change(fixture) { ($0.logo, $0.icon) = (keys[0].name, keys[1].name) }
        try await fixture.store.forgetUnusedFiles()
        #expect(try await files.find(keys[2]) != nil)
        fixture.clock.advance(.seconds(3601))
        try await fixture.store.forgetUnusedFiles()
        #expect(try await fixture.store.unknown(among: keys) == [keys[2]])
        _ = try await change(fixture) { $0.logo = "" }
        try await fixture.store.forgetUnusedFiles()
        #expect(try await fixture.store.unknown(among: keys) == [keys[0], keys[2]])
    }

    @Test("files have a quota; the same one again takes its own place")
    func quota() async throws {
        var quotas = Quotas()
        quotas[.files] = 2
        let fixture = try await Fixture(quotas: quotas)
        let files = fixture.store.files(in: fixture.scope)
        for byte in [1, 2, 2] as [UInt8] { try await files.add(key(byte, fixture.scope), bytes: 1) }
        await #expect(throws: StoreError.quota(.files, limit: 2)) { try await files.add(key(3, fixture.scope), bytes: 1) }
        await #expect(throws: StoreError.quota(.files, limit: 2)) { try await files.admit(key(3, fixture.scope), bytes: 1) }
        let stranger = try await fixture.stranger()
        try await fixture.store.files(in: stranger).add(key(3, stranger), bytes: 1)
    }

    @Test("the bytes of all files have a quota, of each organisation by itself, and how much is used is told as it is held")
    func storage() async throws {
        var quotas = Quotas()
        quotas[.storage] = 2
        let fixture = try await Fixture(quotas: quotas), files = fixture.store.files(in: fixture.scope)
        func used() async throws -> Share? { try await fixture.store.shares(in: fixture.scope).first { $0.quota == .storage } }
        #expect(try await used() == Share(quota: .storage, used: 0, limit: 2 << 20))
        try await files.add(key(1, fixture.scope), bytes: 1 << 20)
        try await files.add(key(2, fixture.scope), bytes: (1 << 20) - 1)
        for bytes in [2, 1 << 40] {
            await #expect(throws: StoreError.quota(.storage, limit: 2)) { try await files.add(key(3, fixture.scope), bytes: bytes) }
            await #expect(throws: StoreError.quota(.storage, limit: 2)) { try await files.admit(key(3, fixture.scope), bytes: bytes) }
        }
        try await files.add(key(3, fixture.scope), bytes: 1)
        #expect(try await used()?.used == 2 << 20)
        // One that comes again takes its own place.
        try await files.add(key(1, fixture.scope), bytes: 1 << 20)
        let stranger = try await fixture.stranger()
        try await fixture.store.files(in: stranger).add(key(3, stranger), bytes: 2 << 20)
        // What nobody shows goes, and with it what it took.
        fixture.clock.advance(.seconds(3601))
        try await fixture.store.forgetUnusedFiles()
        #expect(try await used()?.used == 0)
        let shares = try await fixture.store.shares(in: fixture.scope)
        #expect(shares.map(\.quota) == [.users, .senders, .destinations, .broadcasts, .webhooks, .files, .storage])
        #expect(shares.first?.limit == Quota.users.standard)
    }

    @Test("its files go into a copy of the database for a backup and come out of it again; what was changed in it does not")
    func copies() async throws {
        let place = try Folder()
        let fixture = try await Fixture(.file(place.path + "/a.db"))
        let space = DiskSpace(free: 1, total: 1)
        let here = BlobFolder(place.path + "/here") { _ in space }, there = BlobFolder(place.path + "/there") { _ in space }
        let keys = [1, 2, 3].map { key($0, fixture.scope) }
        for (key, byte) in zip(keys, 1...) {
            try await fixture.store.files(in: fixture.scope).add(key, bytes: 1)
            // The third one is lost.
            if byte < 3 { try here.write([UInt8(byte)], to: key) }
        }
        let copy = BlobCopies(database: place.path + "/copy.db")
        try await fixture.store.backUp(to: copy.database)
        try await copy.add(from: here)
        let database = try await Database.open(.file(copy.database))
        let name = keys[1].name
        try await database.write { try $0.run("UPDATE blob_copies SET content = \([9] as [UInt8]) WHERE name = \(name)") }
        try await database.close()
        try await copy.putBack(into: there)
        #expect(try keys.map { try there.read($0) } == [[1], nil, nil])
        let after = try await Database.open(.file(copy.database))
        let left = try await after.read { connection -> Int? in
            try connection.first("SELECT count(*) AS count FROM blob_copies") { row -> Int in try row["count"] }
        }
        #expect(left == 0)
        try await after.close()
    }
}
