import Testing

@testable import Configuration

private enum Mode: String, CaseIterable { case fast, safe }

@Suite struct ConfigurationReaderTests {
    private func faults(_ text: String, _ environment: [String: String] = [:], _ read: (ConfigurationReader) -> Void) -> [String] {
        do throws(ConfigurationFaults) {
            let reader = try ConfigurationReader(text, source: "x.toml", environment: environment)
            read(reader)
            try reader.finish()
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test("values, units, defaults and lists are read")
    func reads() throws {
        let reader = try ConfigurationReader(
            """
            name = "a"
            [server]
            listen = ["[::]:443", "127.0.0.1:0"]
            grace_minutes = 15
            limit_mib = 2
            rate_kbit = 500
            mode = "safe"
            deep = true
            [[link]]
            name = "x"
            [[link]]
            name = "y"
            """, source: "x.toml")
        let server = reader.section("server")
        #expect(reader.top.string("name") == "a")
        #expect(server.addresses("listen") == [HostPort(host: "::", port: 443), HostPort(host: "127.0.0.1", port: 0)])
        #expect(server.duration("grace_minutes", in: 1...60) == .seconds(900))
        #expect(server.size("limit_mib", in: 1...10) == 2 << 20)
        #expect(server.bitrate("rate_kbit", in: 1...1000).bitsPerSecond == 500_000)
        #expect(server.choice("mode", placeholder: Mode.fast) == .safe)
        #expect(server.boolean("deep"))
        #expect(server.integer("other", default: 7, in: 0...9) == 7)
        #expect(server.optionalString("none") == nil)
        #expect(reader.sections("link").map { $0.string("name") } == ["x", "y"])
        try reader.finish()
    }

    @Test("all faults come together, each with key, value, expectation and place")
    func allFaults() {
        let text = """
            odd = 1
            [server]
            port = 70000
            mode = "slow"
            listen = "nowhere"
            names = ["a", 1]
            roads = "a"
            walks = ["z", "x", [1]]
            extra = 1
            [[link]]
            nme = "x"
            [gone]
            """
        let found = faults(text, ["STRATA_SERVER_DEEP": "maybe", "STRATA_SERVER_DEPTH": "1", "STRATA_ELSE": "x"]) { reader in
            let server = reader.section("server")
            _ = server.integer("port", in: 1...65535)
            _ = server.choice("mode", placeholder: Mode.fast)
            _ = server.address("listen")
            _ = server.strings("names")
            _ = server.strings("roads")
            _ = server.strings("walks", "'x' and 'y'") { ["x", "y"].contains($0) }
            _ = server.boolean("deep")
            _ = server.string("key")
            _ = reader.sections("link").map { $0.string("name", default: "") }
        }
        #expect(
            found == [
                "server.port: expected 1 to 65535, not 70000 (line 3, column 1)",
                "server.mode: expected one of fast, safe, not 'slow' (line 4, column 1)",
                "server.listen: expected host:port with a port of 0 to 65535, not 'nowhere' (line 5, column 1)",
                "server.names: expected a list of texts, not 1 (entry 2 of 2) (line 6, column 1)",
                "server.roads: expected a list of texts, not 'a', which is no list (line 7, column 1)",
                "server.walks: expected 'x' and 'y', not 'z' (entry 1 of 3), an array (entry 3 of 3) (line 8, column 1)",
                "server.deep: expected true or false, not 'maybe' (STRATA_SERVER_DEEP)",
                "server.key: expected a text; it is missing",
                "odd: expected a known key (line 1, column 1)",
                "server.extra: expected a known key (line 9, column 1)",
                "link[0].nme: expected a known key (line 11, column 1)",
                "gone: expected a known key (line 12, column 2)",
                "STRATA_SERVER_DEPTH: expected a known key (environment)",
            ])
    }

    @Test("the environment wins over the file")
    func environment() throws {
        let reader = try ConfigurationReader(
            "[server]\nport = 1\nnames = [\"a\"]\n", source: "x.toml",
            environment: [
                "STRATA_SERVER_PORT": "2", "STRATA_SERVER_NAMES": "b,c", "STRATA_SERVER_KEY": "5", "STRATA_TOP": "t", "HOME": "/",
            ])
        let server = reader.section("server")
        #expect(server.integer("port", in: 1...9) == 2)
        #expect(server.strings("names") == ["b", "c"])
        #expect(server.secret("key")?.revealed == "5")
        #expect(reader.top.string("top") == "t")
        try reader.finish()
    }

    @Test("a text that is not TOML names the place, and a secret is never repeated")
    func notTOML() {
        #expect(faults("a = [") { _ in } == ["file: expected TOML: expected a value (line 1, column 6)"])
        #expect(faults("key = 12345") { _ = $0.top.secret("key") } == ["key: expected a text (line 1, column 1)"])
        #expect(faults("server = 1") { _ = $0.section("server") } == ["server: expected a section, [server] (line 1, column 1)"])
    }

    @Test(
        "an address is host:port and nothing else",
        arguments: ["a", ":1", "a:", "a:-1", "a:+1", "a:65536", "::1", "::1:80", "[]:1", "a b:1", "[a:1", "a/b:1"])
    func addresses(text: String) {
        #expect(HostPort(text) == nil)
    }
}
