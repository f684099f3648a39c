import Testing
import Units
import Wire

@testable import Store

@Suite("An organisation's own words")
struct WordingTests {
    private func item(_ key: String, _ text: String, _ locale: PageLocale = .english) -> WordingItem {
        WordingItem(locale: locale, key: key, text: text)
    }

    @Test("stand over the catalogue text by text and language by language, and go when they are empty")
    func changes() async throws {
        let fixture = try await Fixture()
        let wordings = fixture.store.wordings(in: fixture.scope)
        #expect(try await wordings.all().isEmpty)
        let first = try await wordings.change([item("nav.senders", "Cars"), item("nav.senders", "Wagen", .german), item("save", "Keep")])
        #expect(first == [item("nav.senders", "Wagen", .german), item("nav.senders", "Cars"), item("save", "Keep")])
        let second = try await wordings.change([item("nav.senders", "Vans"), item("save", "")])
        #expect(second == [item("nav.senders", "Wagen", .german), item("nav.senders", "Vans")])
        #expect(try await wordings.all() == second)
        #expect(try await fixture.store.wordings(in: fixture.stranger()).all().isEmpty)
        let entries = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .wordingChanged }
        #expect(Set(entries.compactMap(\.detail)).contains("nav.senders (en-US), save (en-US)"))
    }

    @Test("are text of one line and 500 characters, under names that texts have, and a number of them; one that is refused refuses all")
    func refusals() async throws {
        var quotas = Quotas()
        quotas[.texts] = 2
        let fixture = try await Fixture(quotas: quotas)
        let wordings = fixture.store.wordings(in: fixture.scope)
        let good = item("save", "Keep")
        for bad in [
            item("save", "a\nb"), item("save", "\u{202e}"), item("save", " "), item("save", String(repeating: "x", count: 501)),
            item("", "x"), item("a b", "x"), item("<b>", "x"), item(String(repeating: "k", count: 65), "x"), item("é", "x"),
            item("save", "x", .automatic),
        ] {
            await #expect(throws: StoreError.self, "\(bad)") { try await wordings.change([good, bad]) }
        }
        #expect(try await wordings.all().isEmpty)
        _ = try await wordings.change([good, item("cancel", "Stop")])
        await #expect(throws: StoreError.quota(.texts, limit: 2)) { try await wordings.change([item("close", "x")]) }
        _ = try await wordings.change([item("save", ""), item("close", "x")])
        #expect(try await wordings.all() == [item("cancel", "Stop"), item("close", "x")])
    }
}
