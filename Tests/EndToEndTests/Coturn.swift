import Foundation
import Support

/// coturn beside a control, by the reference configuration and the reference packet filter of its user, with a test's addresses and ports.
struct Coturn: Sendable {
    /// That control's HTTPS has too, where TURN by TLS comes in.
    static let name = "meet.test"
    /// What control signs credentials with.
    let secret = UUID().uuidString
    /// UDP and TCP.
    let port: Int
    /// One for each worker of rooms that there may be.
    let workers: ClosedRange<Int>
    private let tlsPort: Int
    private let relays: ClosedRange<Int>
    /// Its own, and that of the workers.
    private let address: String

    init(at address: String) throws {
        self.address = address
        port = try FreePorts.tcp()
        tlsPort = try FreePorts.tcp()
        relays = try FreePorts.udpRange(100)
        workers = try FreePorts.udpRange(2)
    }

    /// Of control's configuration.
    ///
    /// - Parameter folder: of the worker's socket, and of the secret.
    func section(in folder: TemporaryFolder) throws -> String {
        try RoomDoors.section(in: folder, bind: [address]).replacingOccurrences(of: "port = 0", with: "port = \(workers.lowerBound)") + """
            turn = ["turn:\(address):\(port)?transport=udp", "turn:\(address):\(port)?transport=tcp"]
            turn_secret_file = "\(try folder.write(secret, to: "turn-secret"))"
            turn_tls = "\(Self.name):443"
            turn_tls_upstream = "\(address):\(tlsPort)"

            """
    }

    /// Runs a body while it serves.
    ///
    /// - Parameter authority: the folder with control's certificate.
    func serving<Result>(on stage: Stage, authority: String, _ body: () async throws -> Result) async throws -> Result {
        let own = try TemporaryFolder()
        defer { _ = own.path }
        for file in ["chain.pem", "key.pem"] { _ = try await runTool("cp", ["\(authority)/\(file)", own[file]]) }
        try own.write(try configuration(in: own), to: "turnserver.conf")
        try own.write(try filter(), to: "filter.nft")
        _ = try await runTool("chown", ["-R", "turnserver:turnserver", own.path])
        _ = try await runTool("nft", ["-f", own["filter.nft"]])
        do {
            let user = ["setpriv", "--reuid", "turnserver", "--regid", "turnserver", "--clear-groups", "--"]
            _ = try stage.start("turnserver", ["-c", own["turnserver.conf"]], inside: user)
            try await eventually(within: .seconds(10), "coturn listens") {
                try await runTool("sh", ["-c", "ss -Hltn 'sport = :\(tlsPort)' | grep -q ."], mayFail: true).status == 0
            }
            let result = try await body()
            _ = try await runTool("nft", ["delete", "table", "inet", "strata_turn"])
            return result
        } catch {
            // What went wrong is thrown.
            _ = try? await runTool("nft", ["delete", "table", "inet", "strata_turn"], mayFail: true)
            throw error
        }
    }

    private func reference(_ name: String) throws -> [Substring] {
        try String(contentsOf: Places.root.appendingPathComponent("systemd/\(name)"), encoding: .utf8).split(separator: "\n")
    }

    private func configuration(in folder: TemporaryFolder) throws -> String {
        let values = [
            "listening-port": "\(port)", "tls-listening-port": "\(tlsPort)", "listening-ip": address, "relay-ip": address,
            "min-port": "\(relays.lowerBound)", "max-port": "\(relays.upperBound)", "static-auth-secret": secret,
            "allowed-peer-ip": address, "cert": folder["chain.pem"], "pkey": folder["key.pem"],
        ]
        var found: Set<String> = []
        let lines = try reference("turnserver.conf").compactMap { line -> String? in
            let key = String(line.prefix { $0 != "=" })
            guard !line.hasPrefix("#"), key != "syslog", line != "listening-ip=127.0.0.1" else { return nil }
            guard let value = values[key] else { return String(line) }
            found.insert(key)
            return "\(key)=\(value)"
        }
        guard found == Set(values.keys) else { throw SupportFailure("the reference lacks one of \(values.keys.sorted())") }
        let own = ["userdb=\(folder["turn.db"])", "pidfile=\(folder["turn.pid"])", "log-file=stdout"]
        return (lines + own).joined(separator: "\n") + "\n"
    }

    private func filter() throws -> String {
        let values = [
            "workers4": "{ \(address) }", "worker_ports": "\(workers.lowerBound)-\(workers.upperBound)",
            "client_ports": "{ \(port), \(tlsPort) }", "relay_ports": "\(relays.lowerBound)-\(relays.upperBound)",
        ]
        return try reference("strata-turn.nft").map { line in
            let words = line.split(separator: " ")
            guard words.first == "define", words.count > 1, let value = values[String(words[1])] else { return String(line) }
            return "define \(words[1]) = \(value)"
        }.joined(separator: "\n") + "\n"
    }
}

/// A TURN client that asks for what it wants. Source: RFC 8656, RFC 8489.
enum TurnClient {
    /// What became of each thing that it tried.
    struct Report: Decodable {
        /// By transport: 0, or the error's code.
        let ways: [String: Int]
        let forged: Int
        let over: Int
        /// By the address that it wants to send to.
        let peers: [String: Int]
        /// Of datagrams to two ports of the one address that it may send to.
        let heard: [String]
        /// How many allocations one user has had, and why there were no more.
        let most: Int
        let refusal: Int
    }

    /// - Parameters:
    ///   - authority: of the certificate that control and coturn have.
    ///   - other: an address that is none of a worker's.
    static func report(on coturn: Coturn, at address: String, authority: String, other: String) async throws -> Report {
        let ports = [coturn.port, coturn.workers.upperBound, try FreePorts.udp()].map { "\($0)" }
        let answer = try await runTool("python3", ["-c", script, address, coturn.secret, authority, Coturn.name, other] + ports)
        return try JSONDecoder().decode(Report.self, from: answer.output)
    }

    private static let script = """
        import base64, hashlib, hmac, json, os, socket, ssl, struct, sys, time
        address, secret, authority, name, other = sys.argv[1:6]
        plain, worker, elsewhere = map(int, sys.argv[6:9])
        cookie = 0x2112A442

        def attribute(kind, value):
            return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)

        def peer(host, port):
            number = struct.unpack(">I", socket.inet_aton(host))[0]
            return attribute(0x12, b"\\0\\1" + struct.pack(">HI", port ^ (cookie >> 16), number ^ cookie))

        class Client:
            def __init__(self, way, user, end=60, key=secret):
                self.user = f"{int(time.time()) + end}:{user}".encode()
                self.code = base64.b64encode(hmac.new(key.encode(), self.user, hashlib.sha1).digest())
                self.key, self.proof, self.is_udp = None, b"", way == "udp"
                if self.is_udp:
                    self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    self.socket.connect((address, plain))
                else:
                    self.socket = socket.create_connection((address, 443 if way == "tls" else plain), 5)
                if way == "tls":
                    self.socket = ssl.create_default_context(cafile=authority).wrap_socket(self.socket, server_hostname=name)
                self.socket.settimeout(5)

            def send(self, kind, body):
                head = cookie.to_bytes(4, "big") + os.urandom(12)
                if self.key:
                    body += self.proof
                    length = struct.pack(">HH", kind, len(body) + 24)
                    body += attribute(8, hmac.new(self.key, length + head + body, hashlib.sha1).digest())
                self.socket.sendall(struct.pack(">HH", kind, len(body)) + head + body)

            def read(self, count):
                data = b""
                while len(data) < count:
                    part = self.socket.recv(count - len(data))
                    if not part:
                        raise EOFError
                    data += part
                return data

            # 0, or the error's code.
            def ask(self, kind, body):
                self.send(kind, body)
                if self.is_udp:
                    data = self.socket.recv(4096)
                    head, rest = data[:20], data[20:]
                else:
                    head = self.read(20)
                    rest = self.read(struct.unpack(">H", head[2:4])[0])
                self.attributes = {}
                while rest:
                    kind, size = struct.unpack(">HH", rest[:4])
                    self.attributes.setdefault(kind, rest[4:4 + size])
                    rest = rest[4 + size + -size % 4:]
                if struct.unpack(">H", head[:2])[0] & 0x0110 == 0x0100:
                    return 0
                return self.attributes[9][2] * 100 + self.attributes[9][3]

            def allocate(self):
                udp = attribute(0x19, bytes([17, 0, 0, 0]))
                first = self.ask(3, udp)
                if first != 401:
                    return first
                realm, nonce = self.attributes[0x14], self.attributes[0x15]
                self.key = hashlib.md5(self.user + b":" + realm + b":" + self.code).digest()
                self.proof = attribute(6, self.user) + attribute(0x14, realm) + attribute(0x15, nonce)
                return self.ask(3, udp)

        clients = {way: Client(way, "tester") for way in ("udp", "tcp", "tls")}
        report = {"ways": {way: client.allocate() for way, client in clients.items()}}
        report["forged"] = Client("udp", "tester", key="another secret").allocate()
        report["over"] = Client("udp", "tester", end=-60).allocate()
        one = clients["tls"]
        hosts = [address, other, "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.0.2.1", "224.0.0.1", "0.0.0.0"]
        report["peers"] = {host: one.ask(8, peer(host, worker)) for host in hosts}
        ears = {}
        for port in (worker, elsewhere):
            ears[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ears[port].bind((address, port))
            ears[port].settimeout(1)
        one.key = None
        for port in ears:
            one.send(0x16, peer(address, port) + attribute(0x13, b"hello"))
        report["heard"] = []
        for port, ear in ears.items():
            try:
                if ear.recv(100) == b"hello":
                    report["heard"].append("worker" if port == worker else "elsewhere")
            except TimeoutError:
                pass
        greedy = []
        while True:
            greedy.append(Client("udp", "greedy"))
            report["refusal"] = greedy[-1].allocate()
            if report["refusal"] != 0 or len(greedy) > 60:
                break
        report["most"] = len(greedy) - 1
        print(json.dumps(report))
        """
}
