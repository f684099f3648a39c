import Configuration
import Crypto
import Identity
import Testing
import Units

@testable import Boards

@Suite struct BoardFileTests {
    private static let token = EnrollmentToken.make(
        id: EnrollmentTokenID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, authority: .pinned(sha256: randomBytes(32)))

    private static func origins(_ texts: String...) throws -> [ServerOrigin] { try texts.map { try ServerOrigin($0) } }

    @Test("what is written is read again, whatever characters its names and passwords have")
    func roundTrip() throws {
        let odd = "a\"b\\c#d = [e] '🎥' é"
        let network = BoardNetwork(
            wireless: .init(network: "Übertragung \"1\"", password: Secret("pass \\word\"#$`'")),
            wired: .init(address: "192.0.2.10/24", gateway: "192.0.2.1", nameServers: ["192.0.2.1", "198.51.100.1"]),
            modems: .init(apn: "internet", user: odd, password: Secret(odd), pin: Secret("0123")))
        let file = try BoardFile(
            servers: try Self.origins("https://live.example.org", "https://192.0.2.7:8443"), token: Self.token, boardName: odd,
            organization: "Our \"Channel\"", expiresAt: "2026-12-01T00:00:00Z", proxy: "http://proxy.example.org:3128",
            writtenAt: 1_790_000_000, network: network)
        #expect(try BoardFile(file.text.revealed, source: "f") == file)
        // The lines may come from another system.
        let lines = file.text.revealed.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        #expect(try BoardFile(lines, source: "f") == file)
    }

    @Test("what is left after the network was set up has the token and nothing of the network")
    func enrollmentAlone() throws {
        let network = BoardNetwork(wireless: .init(network: "n", password: Secret("a password")))
        let file = try BoardFile(
            servers: try Self.origins("https://a.example"), token: Self.token, boardName: "Van 1", writtenAt: 5, network: network)
        #expect(!file.enrollmentText.revealed.contains("a password"))
        let kept = try BoardFile(file.enrollmentText.revealed, source: "f")
        #expect(kept.token == file.token && kept.servers == file.servers && kept.boardName == "Van 1" && kept.writtenAt == 5)
        #expect(kept.network.isEmpty)
    }

    @Test("every fault is told at once, and none repeats a secret")
    func faults() {
        let text = """
            [enrollment]
            servers = ["http://example.org", "https://a"]
            token = "strata1.secret-token"
            name = "two\\nlines"
            colour = "red"
            [wireless]
            network = "n"
            password = "shorty"
            [wired]
            gateway = "192.0.2.1"
            [modems]
            pin = "12ab"
            """
        let faults = #expect(throws: ConfigurationFaults.self) { try BoardFile(text, source: "f") }
        let keys = Set(faults?.faults.map(\.key) ?? [])
        #expect(
            keys == [
                "enrollment.servers", "enrollment.token", "enrollment.name", "enrollment.colour", "wireless.password", "wired.address",
                "modems.pin", "modems.apn",
            ])
        let said = faults?.description ?? ""
        for secret in ["secret-token", "shorty", "12ab"] { #expect(!said.contains(secret)) }
    }

    @Test("a server must be one, and not too many; nothing that cannot be read is ever written")
    func bounds() throws {
        let many = try (1...5).map { try ServerOrigin("https://s\($0).example") }
        #expect(throws: ConfigurationFaults.self) { try BoardFile(servers: many, token: Self.token, writtenAt: 1) }
        #expect(throws: ConfigurationFaults.self) { try BoardFile(servers: [], token: Self.token, writtenAt: 1) }
        let one = try Self.origins("https://a.example")
        #expect(throws: ConfigurationFaults.self) { try BoardFile(servers: one, token: Self.token, boardName: "", writtenAt: 1) }
        for address in ["192.0.2.1", "192.0.2.1/33", "192.0.2.1/024", "::1/64", "192.0.2.1/24/1", "/24"] {
            let network = BoardNetwork(wired: .init(address: address, gateway: nil, nameServers: []))
            #expect(throws: ConfigurationFaults.self, "\(address)") {
                try BoardFile(servers: one, token: Self.token, writtenAt: 1, network: network)
            }
        }
    }
}
