import API
import Auth
import Configuration
import Crypto
import Foundation
import Store
import Support
import Testing

@Suite("Control's configuration")
struct ControlConfigurationTests {
    private func parse(_ text: String, environment: [String: String] = [:]) throws -> ControlConfiguration {
        try ControlConfiguration(text, source: "test", environment: environment)
    }

    private let least = "[server]\norigins = [\"https://live.example.org\"]\n"

    @Test("the shipped file is read, names every quota, and says the defaults where it says that it does")
    func shipped() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../systemd/strata-control.conf")
            .path
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let (shipped, least) = (try parse(text), try parse(least))
        for quota in Quota.allCases {
            #expect(shipped.quotas[quota] == quota.standard && least.quotas[quota] == quota.standard)
            #expect(text.contains("\n\(quota.rawValue) = \(quota.standard)\n"), "\(quota)")
        }
        #expect(shipped.limits.general == least.limits.general && shipped.limits.open == least.limits.open)
        #expect(shipped.guests == least.guests && least.guests == RateLimit(3, per: .seconds(300)))
        #expect(shipped.stateFolder == least.stateFolder && shipped.loops == least.loops && shipped.logLevel == least.logLevel)
        #expect(shipped.dashboard == least.dashboard && shipped.dashboard == "/usr/share/strata/dashboard")
        #expect(shipped.collector == nil && shipped.traceShare == least.traceShare && least.traceShare == 0.01)
        #expect(shipped.retention == least.retention && least.retention == Retention())
        let kept = try parse(self.least + "[retention]\ndeliveries_days = 7\nhealth_days = 365\n").retention
        #expect(kept.deliveries == .seconds(7 * 86_400) && kept.health == .seconds(365 * 86_400))
        #expect(shipped.vendor == nil && least.vendor == nil && shipped.environment == least.environment)
        #expect(shipped.rooms.workers == 0 && least.rooms.workers == 0 && shipped.rooms.port == least.rooms.port)
        #expect(shipped.bucket == nil && least.bucket == nil)
        #expect(shipped.outbound.isEmpty && least.outbound.isEmpty && !shipped.endsTLSAtProxy)
    }

    @Test("rooms on every address of the machine need to be told which ones browsers reach")
    func rooms() throws {
        let fault = #expect(throws: ConfigurationFaults.self) { try parse(least + "[rooms]\nworkers = 1\n") }
        #expect(fault?.faults.map(\.key) == ["rooms.announce"])
        #expect(try parse(least + "[rooms]\nworkers = 1\nannounce = [\"203.0.113.5\"]\n").rooms.workers == 1)
        #expect(try parse(least + "[rooms]\nworkers = 1\nbind = [\"127.0.0.1\"]\n").rooms.announced == [])
    }

    @Test("a TURN server needs a secret, and its address no more than a scheme, a host, a port and a transport")
    func turn() throws {
        let folder = try TemporaryFolder()
        let secret = try folder.write("0123456789abcdef\n", to: "secret")
        let short = try folder.write("0123456789abcde\n", to: "short")
        func faults(_ keys: String) -> [String]? {
            let fault = #expect(throws: ConfigurationFaults.self) { try parse(least + "[rooms]\n" + keys) }
            return fault?.faults.map(\.key)
        }
        let server = #"turn = ["turn:turn.example.org:3478?transport=udp", "turns:[2001:db8::1]:443?transport=tcp", "turn:a"]"# + "\n"
        #expect(faults(server) == ["rooms.turn, rooms.turn_secret_file"])
        #expect(faults("turn_secret_file = \"\(secret)\"\n") == ["rooms.turn, rooms.turn_secret_file"])
        #expect(faults(server + "turn_secret_file = \"\(short)\"\n") == ["rooms.turn_secret_file"])
        #expect(faults(server + "turn_secret_file = \"\(folder.path)/none\"\n") == ["rooms.turn_secret_file"])
        for wrong in ["turn.example.org", "stun:a", "turn:", "turn:a?transport=sctp", "turn:a b", "turn:a>;", "turn:a\\r\\nX: y"] {
            let keys = faults("turn = [\"\(wrong)\"]\nturn_secret_file = \"\(secret)\"\n")
            #expect(keys?.first?.hasPrefix("rooms.turn") == true, "\(wrong)")
        }
        for wrong in ["stun.example.org", "turn:a", "stun:", "stun:a?transport=udp"] {
            #expect(faults("stun = [\"\(wrong)\"]\n")?.first?.hasPrefix("rooms.stun") == true, "\(wrong)")
        }
        let good = try parse(
            least + "[rooms]\n" + server + "turn_secret_file = \"\(secret)\"\nstun = [\"stun:stun.example.org\", \"stuns:a:5349\"]\n")
        let links = good.rooms.servers.links(for: "somebody", at: 1_795_392_000)
        #expect(links.count == 5 && links[0] == "<stun:stun.example.org>; rel=\"ice-server\"")
        #expect(links[2].contains("username=\"1795435200:somebody\""))
        // openssl dgst -sha1 -hmac 0123456789abcdef -binary | base64
        #expect(links[2].contains("credential=\"Rn8e9rGrismu0NbEsS4KKxGgHXU=\""))
        let list = good.rooms.servers.list(for: "somebody", at: 1_795_392_000)
        #expect(list.map(\.url).count == 5 && list[0].username == nil && list[2].username == "1795435200:somebody")
        #expect(list[2].credential?.secret.revealed == "Rn8e9rGrismu0NbEsS4KKxGgHXU=")
    }

    @Test("TURN by TLS goes through the server's own port, by a name or an address, and takes a port to pass it on to")
    func turnByTLS() throws {
        let folder = try TemporaryFolder()
        let secret = try folder.write("0123456789abcdef\n", to: "secret")
        let tls = "listen_tls = [\"0.0.0.0:443\"]\ncertificate = \"/c\"\nprivate_key = \"/k\"\n[rooms]\nturn_secret_file = \"\(secret)\"\n"
        func faults(_ text: String) -> [String]? {
            let fault = #expect(throws: ConfigurationFaults.self) { try parse(text) }
            return fault?.faults.map(\.key)
        }
        let upstream = "turn_tls_upstream = \"127.0.0.1:5349\"\n"
        #expect(faults(least + tls + "turn_tls = \"a:443\"\n") == ["rooms.turn_tls, rooms.turn_tls_upstream"])
        #expect(faults(least + tls + "turn_tls = \"a\"\n" + upstream) == ["rooms.turn_tls"])
        #expect(faults(least + tls + "turn_tls = \"a:443\"\nturn_tls_upstream = \"b:5349\"\n") == ["rooms.turn_tls_upstream"])
        let noTLS = least + "[rooms]\nturn_secret_file = \"\(secret)\"\nturn_tls = \"a:443\"\n" + upstream
        #expect(faults(noTLS) == ["server.listen_tls"])
        let good = try parse(least + tls + "turn_tls = \"Turn.Example.org:443\"\n" + upstream)
        let passages = good.server.listeners.map(\.passage)
        #expect(passages.count == 2 && passages[0] == nil, "plain HTTP passes nothing on")
        #expect(passages[1]?.names == ["turn.example.org"] && passages[1]?.takesNameless == false && passages[1]?.upstream.port == 5349)
        #expect(good.rooms.servers.list(for: "a", at: 0).map(\.url) == ["turns:Turn.Example.org:443?transport=tcp"])
        let byAddress = try parse(least + tls + "turn_tls = \"[2001:db8::1]:443\"\n" + upstream).server.listeners[1].passage
        #expect(byAddress?.names == [] && byAddress?.takesNameless == true)
    }

    @Test("a bucket takes an endpoint by TLS or inside, and a key whose secret lies in a file of its own; no fault tells it")
    func bucket() throws {
        let secret = FileManager.default.temporaryDirectory.path + "/strata-secret-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: secret) }
        try Data("wJalrXUtnFEMI\nmore".utf8).write(to: URL(fileURLWithPath: secret))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
        func section(_ lines: [String]) -> String {
            let own = ["bucket = \"strata\"", "access_key = \"key\"", "secret_file = \"\(secret)\""]
            let given = Set(lines.map { $0.prefix { $0 != " " } })
            return least + "[blobs]\n" + (lines + own.filter { !given.contains($0.prefix { $0 != " " }) }).joined(separator: "\n") + "\n"
        }
        let bucket = try parse(section(["endpoint = \"https://s3.example.org\""])).bucket
        #expect(bucket?.region == "us-east-1" && bucket?.addressing == .path && bucket?.isInside == false && bucket?.authority == nil)
        #expect(bucket?.secret.revealed == "wJalrXUtnFEMI" && bucket?.bucket == "strata" && bucket?.accessKey == "key")
        #expect(try parse(section(["endpoint = \"http://10.0.0.5:9000/s3\"", "inside = true"])).bucket?.path(of: "a") == "/s3/strata/a")
        #expect(try parse(least).bucket == nil)
        let ending = try parse(section(["endpoint = \"https://s3.example.org\"", "access_key_ends = \"2027-06-01\""]))
        #expect(ending.bucketKeyEnd?.text == "2027-06-01T00:00:00.000Z" && ending.bucket != nil)
        let endpoint = "endpoint = \"https://s3.example.org\""
        for (lines, key) in [
            (["endpoint = \"http://s3.example.org\""], "blobs.endpoint"), (["endpoint = \"s3.example.org\""], "blobs.endpoint"),
            (["endpoint = \"https://s3.example.org/a%20b\""], "blobs.endpoint"), ([endpoint, "bucket = \"A\""], "blobs.bucket"),
            ([endpoint, "bucket = \"../x\""], "blobs.bucket"),
            ([endpoint, "bucket = \"a.b\"", "addressing = \"host\""], "blobs.addressing"),
            ([endpoint, "region = \"a/b\""], "blobs.region"), ([endpoint, "access_key = \"a b\""], "blobs.access_key"),
            ([endpoint, "secret_file = \"/nowhere/at/all\""], "blobs.secret_file"),
            ([endpoint, "access_key_ends = \"2027-02-31\""], "blobs.access_key_ends"),
            ([endpoint, "authority = \"/nowhere/at/all\""], "blobs.authority"), (["region = \"r\""], "blobs.region"),
        ] {
            let text = lines.contains { $0.hasPrefix("endpoint") } ? section(lines) : least + "[blobs]\n" + lines[0] + "\n"
            let faults = #expect(throws: ConfigurationFaults.self) { try parse(text) }
            #expect(faults?.faults.map(\.key) == [key] && !String(describing: faults).contains("wJalr"), "\(lines)")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: secret)
        #expect(throws: ConfigurationFaults.self) { try parse(section([endpoint])) }
    }

    @Test("a quota is set by file or environment, and one that is none is a fault with its key")
    func quotas() throws {
        let set = try parse(least + "[quotas]\nsenders = 3\n", environment: ["STRATA_QUOTAS_SENDERS": "4"])
        #expect(try parse(least + "[quotas]\noutputs = 64\n").quotas[.outputs] == 64)
        #expect(set.quotas[.senders] == 4 && set.quotas[.destinations] == Quota.destinations.standard)
        for (line, key) in [
            ("senders = 0", "quotas.senders"), ("sockets = \"many\"", "quotas.sockets"), ("cars = 1", "quotas.cars"),
            ("outputs = 65", "quotas.outputs"),
        ] {
            do {
                _ = try parse(least + "[quotas]\n\(line)\n")
                Issue.record("\(line) was taken")
            } catch {
                #expect((error as? ConfigurationFaults)?.faults.map(\.key) == [key])
            }
        }
    }

    @Test("the server's chain has to be for the names of its https origins, and of no authority where a proxy shows its own")
    func chainDemand() throws {
        let authority = try Certificate(pem: CertificateAuthority.make(name: "Test", at: 1_700_000_000).certificatePEM)
        let origins = "[server]\norigins = [\"https://live.example.org\", \"https://[2001:db8::1]:8443\", \"http://127.0.0.1:8080\"]\n"
        let direct = try parse(origins)
        #expect(direct.chainDemand(authority: authority).hosts == ["live.example.org", "2001:db8::1"])
        #expect(direct.chainDemand(authority: authority).authority == authority.fingerprint)
        #expect(direct.chainDemand(authority: nil).authority == nil)
        let behind = try parse(origins + "tls_ends_at_proxy = true\n").chainDemand(authority: authority)
        #expect(behind.authority == nil && behind.hosts.isEmpty)
    }

    @Test("a vendor's DSN is one, is told by no fault, and is none by default")
    func vendor() throws {
        let key = "0123456789abcdef"
        let set = try parse(least + "[errors]\nvendor_dsn = \"https://\(key)@errors.example.org/4\"\nenvironment = \"staging\"\n")
        #expect(set.vendor?.description == "errors.example.org, project 4" && set.environment == "staging")
        for line in ["vendor_dsn = \"https://\(key)/errors\"", "environment = \"a b\"", "environment = \"\""] {
            do {
                _ = try parse(least + "[errors]\n\(line)\n")
                Issue.record("\(line) was taken")
            } catch {
                let key = line.hasPrefix("vendor") ? "errors.vendor_dsn" : "errors.environment"
                #expect((error as? ConfigurationFaults)?.faults.map(\.key) == [key] && !"\(error)".contains("0123456789abcdef"))
            }
        }
    }

    @Test("traces go to a collector on this machine or by TLS, a share of them by file or environment")
    func traces() throws {
        for text in ["http://127.0.0.1:4318", "http://localhost:4318/otlp", "http://[::1]:4318", "https://collector.example.org"] {
            #expect(try parse(least + "[traces]\nendpoint = \"\(text)\"\nsample_ratio = 1\n").collector != nil, "\(text)")
        }
        #expect(try parse(least, environment: ["STRATA_TRACES_SAMPLE_RATIO": "0.5"]).traceShare == 0.5)
        for (line, key) in [
            ("endpoint = \"http://collector.example.org:4318\"", "traces.endpoint"),
            ("endpoint = \"https://c.example.org/?x=1\"", "traces.endpoint"),
            ("endpoint = \"c.example.org\"", "traces.endpoint"), ("sample_ratio = 1.5", "traces.sample_ratio"),
            ("sample_ratio = nan", "traces.sample_ratio"), ("sample_ratio = \"all\"", "traces.sample_ratio"),
        ] {
            do {
                _ = try parse(least + "[traces]\n\(line)\n")
                Issue.record("\(line) was taken")
            } catch {
                #expect((error as? ConfigurationFaults)?.faults.map(\.key) == [key])
            }
        }
    }

    @Test("plain HTTP is for loopback only, TLS needs its files, and all faults come together")
    func faults() {
        do {
            let server = "[server]\nlisten = [\"0.0.0.0:80\"]\nlisten_tls = [\"0.0.0.0:443\"]\ndashboard = \"here\"\n"
            _ = try parse(server + "[outbound]\nallow = [\"everything\"]\n")
            Issue.record("it was taken")
        } catch {
            let keys = Set((error as? ConfigurationFaults)?.faults.map(\.key) ?? [])
            let wanted = ["server.listen", "server.certificate", "server.origins", "server.dashboard", "outbound.allow"]
            #expect(keys.isSuperset(of: wanted), "\(keys)")
        }
    }
}
