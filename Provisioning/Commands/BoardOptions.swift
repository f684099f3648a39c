import Boards
import Configuration
import Crypto
import Identity
import Posix
import Units

/// What the commands that write boards' files have in common: where boards find the server, and how they get into their network.
struct BoardOptions {
    let servers: [ServerOrigin]
    let network: BoardNetwork
    let proxy: String?
    /// Of the token.
    let lifetime: Int?

    /// - Parameter server: the one that this program talks to.
    init(_ arguments: inout Arguments, server: String) throws {
        let named = arguments.all("origin")
        servers = try (named.isEmpty ? [server] : named).map(Self.origin)
        guard servers.allSatisfy(\.isTLS) || !named.isEmpty else {
            throw Arguments.Fault(
                "--origin is missing: boards do not reach \(server); name the server as they know it, https://host[:port]")
        }
        lifetime = try arguments.integer("expires", in: 60...2_592_000)
        proxy = try arguments.optional("board-proxy")
        network = BoardNetwork(
            wireless: try Self.wireless(&arguments), wired: try Self.wired(&arguments), modems: try Self.modems(&arguments))
    }

    /// - Throws: `Arguments.Fault` that names the option which does not fit.
    func file(
        _ token: EnrollmentToken, name: String?, organization: String?, expiresAt: String?
    ) throws -> BoardFile {
        do throws(ConfigurationFaults) {
            return try BoardFile(
                servers: servers, token: token, boardName: name, organization: organization, expiresAt: expiresAt, proxy: proxy,
                writtenAt: Int(unixMilliseconds() / 1000), network: network)
        } catch {
            throw Arguments.Fault(error.faults.map { "\($0.key): \($0.demand)" }.joined(separator: "\n  "))
        }
    }

    /// Whether the rest fits, before a token is made: by one that opens nothing.
    func check(name: String?) throws {
        var random = SystemRandomNumberGenerator()
        let id = EnrollmentTokenID(ULID(unixMs: unixMilliseconds(), random: &random))
        _ = try file(EnrollmentToken.make(id: id, authority: .system), name: name, organization: nil, expiresAt: nil)
    }

    private static func origin(_ text: String) throws -> ServerOrigin {
        do throws(IdentityError) {
            return try ServerOrigin(text)
        } catch {
            throw Arguments.Fault("--origin is '\(text)': \(error)")
        }
    }

    private static func wireless(_ arguments: inout Arguments) throws -> BoardNetwork.Wireless? {
        let (name, password) = (try arguments.optional("wireless"), try secret(&arguments, "wireless-password-file"))
        guard let name else {
            guard password == nil else { throw Arguments.Fault("--wireless is missing, the name of the network") }
            return nil
        }
        return BoardNetwork.Wireless(network: name, password: password)
    }

    private static func wired(_ arguments: inout Arguments) throws -> BoardNetwork.Wired? {
        let (address, gateway) = (try arguments.optional("address"), try arguments.optional("gateway"))
        let servers = arguments.all("name-server")
        guard let address else {
            guard gateway == nil, servers.isEmpty else { throw Arguments.Fault("--address is missing, such as 192.0.2.10/24") }
            return nil
        }
        return BoardNetwork.Wired(address: address, gateway: gateway, nameServers: servers)
    }

    private static func modems(_ arguments: inout Arguments) throws -> BoardNetwork.Modems? {
        let (apn, user) = (try arguments.optional("apn"), try arguments.optional("apn-user"))
        let (password, pin) = (try secret(&arguments, "apn-password-file"), try secret(&arguments, "pin-file"))
        guard let apn else {
            guard user == nil, password == nil, pin == nil else { throw Arguments.Fault("--apn is missing, the operator's access point") }
            return nil
        }
        return BoardNetwork.Modems(apn: apn, user: user, password: password, pin: pin)
    }

    private static func secret(_ arguments: inout Arguments, _ name: String) throws -> Secret? {
        try arguments.optional(name).map { try Console.secret(of: $0).secret }
    }
}

/// Where a board's file goes.
enum BoardPlace {
    /// A boot partition's folder, as mounted here.
    case folder(String)
    /// A file of user data for cloud-init.
    case cloudInit(String)

    /// By `--directory` or `--cloud-init`; nil where neither is given.
    init?(_ arguments: inout Arguments) throws {
        switch (try arguments.optional("directory"), try arguments.optional("cloud-init")) {
        case (let folder?, nil): self = .folder(folder)
        case (nil, let file?): self = .cloudInit(file)
        case (nil, nil): return nil
        case (_?, _?): throw Arguments.Fault("--directory and --cloud-init are two ways: name one")
        }
    }

    var path: String {
        switch self {
        case .folder(let folder): "\(folder)/\(BoardFile.name)"
        case .cloudInit(let file): file
        }
    }

    /// Before a token is made that only this file will hold.
    ///
    /// - Throws: `Arguments.Fault` where another board's file is there, or none can be written.
    func check(_ network: BoardNetwork) throws {
        if case .cloudInit = self, network.wireless != nil || network.wired != nil {
            throw Arguments.Fault("cloud-init sets the network up by its own network-config: --wireless and --address go there")
        }
        if case .folder(let folder) = self, try FileTree.look(folder + "/.") != .folder {
            throw Arguments.Fault("\(folder) is no folder: name the boot partition as it is mounted here")
        }
        guard try FileTree.look(path) == nil else {
            throw Arguments.Fault("there is \(path) already, with a token of its own: remove it first, and withdraw that token")
        }
        try KeyFile.check(path)
    }

    func write(_ file: BoardFile) throws {
        switch self {
        case .folder: try KeyFile.write(file.text.revealed, to: path)
        case .cloudInit: try KeyFile.write(Self.userData(file).revealed, to: path)
        }
    }

    /// **Source**: cloud-init's documentation, "Cloud config", `write_files` and `runcmd`. A literal block of YAML keeps its lines as they are.
    static func userData(_ file: BoardFile) -> Secret {
        let lines = file.text.revealed.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let content = lines.map { $0.isEmpty ? "\n" : "      \($0)\n" }.joined()
        return Secret(
            """
            #cloud-config
            runcmd:
              - [systemctl, start, strata-agent-provision.service]
            write_files:
              - path: /etc/strata/\(BoardFile.name)
                permissions: "0600"
                content: |

            """ + content)
    }
}
