import FoundationEssentials
import Glibc
import HTTP
import Posix
import Service
import Units
import Wire

/// `strata-provision`: what installers and operators do from a shell, on the same API as the browser.
package struct Console: Sendable {
    package static let usage = """
        strata-provision [--server URL] [--ca FILE] [--proxy URL] [--session FILE] [--api-token-file FILE] COMMAND

          register --setup-secret-file F --organization NAME --slug SLUG --email MAIL --name NAME --password-file F
          login --email MAIL --password-file F [--organization SLUG]
          logout
          whoami
          api-token create --name NAME --scope SCOPE … --password-file F [--expires SECONDS] [--output FILE]
          api-token list | api-token end ID
          token create [--kind sender] [--name NAME] [--expires SECONDS] [--configuration TOML] [--output FILE] [--qr SVG]
          token create --kind pool --operator-token-file F [--name NAME] [--output FILE]
          token list | token withdraw ID
          tokens --csv FILE --directory DIR [--sheet HTML] [--expires SECONDS] [NETWORK]     a board's file for each line, and a sheet to print
          board --directory BOOT [--name NAME] [--expires SECONDS] [--configuration TOML] [NETWORK]      a card's boot partition, as mounted here
          board --cloud-init FILE …                                              the same as user data of cloud-init
          board --token-file F …                                                 with a token that somebody else has made
          sender renew ID --directory BOOT | --cloud-init FILE | --output FILE   a new key for a board: its copies are shut out
          sender transfer ID --token-file F --directory BOOT                     to the organisation that has made the token
          sender list | sender show ID | sender revoke ID | sender rename ID --name NAME
          sender configure ID --file TOML
          sender reset-modem ID MODEM [--force]
          sender speed-test ID LINK
          destination add --name NAME --url URL [--secret-file F] [--stream-id ID] [--srt-mode caller|listener] [--latency MS]
          destination add --name NAME --preset youtube|twitch --secret-file F
          destination list | destination remove ID
          broadcast start --sender ID --destination ID … [--input ID] [--audio ID] [--bitrate BITS] [--buffer MS] [--grace SECONDS] [--wait]
          broadcast list | broadcast show ID | broadcast stop ID [--wait]
          broadcast change ID [--bitrate BITS] [--input ID] [--audio ID]
          broadcast output add ID --destination ID | broadcast output remove ID OUTPUT | broadcast output retry ID OUTPUT
          slate set --file PICTURE | slate get --output FILE | slate remove      what is shown while a sender is silent: PNG or JPEG
          pool list [--operator-token-file F]
          pool drain ID | pool resume ID [--operator-token-file F]               a host that takes no new streams, or again
          authority issue --host NAME … --directory DIR      a CA of your own, and a certificate from it
          release key --output F                             a signing key, for a root or for releases; its public half is printed
          release rotate [--from F] --root KEY … --release KEY=DATE … --signer F … --output F     the list of keys that machines trust
          release make --from DIR --version V --sequence N --channel stable|beta|edge --minimum V --expires DATE --signer F --keys F …
                       [--migration N …] [--breaking TEXT …] [--notes F] --output F     the files are DIR/PRODUCT/MACHINE/…
          release verify --file F --keys F … [--from DIR]
          release publish --file F --keys F … --from DIR --directory STATE/releases     to where control hands them out to boards
          rollout releases | rollout list | rollout show ID                      what is published, and its way to the boards; for owners
          rollout begin --version V [--canary ID …] [--percent N …] [--soak SECONDS] [--at-once N] [--failures N]
                        [--failure-percent N] [--silence SECONDS] [--force]
          rollout pause ID | rollout resume ID | rollout halt ID | rollout end ID | rollout back ID
          rollout board ID | rollout channel ID stable|beta|edge                 what a sender has, and which releases it follows
          server install --host NAME [--certificate own|acme|files] …           this machine becomes a server; see OPERATE.md
          server install --dry-run …                                             what would be made, and nothing is
          server status [--text]                                                 how it is, what it has, and what to do next; --text for people
          server rollback | server destroy [--purge] [--confirm NAME]
          server update                                                          goes on with an update, or takes up what the page asked for
          server update --version V                                              to a release that is published here, now
          server back [--confirm VERSION]                                        to the version before
          server restore --copy NAME [--confirm HOST]                            a copy of the database in its place: what came since is lost
          organization create --operator-token-file F --name NAME --slug SLUG --email MAIL --owner NAME --password-file F

        NETWORK is --origin URL … where boards know the server by another address, the first one first; --wireless NAME
        [--wireless-password-file F], --address IP/PREFIX [--gateway IP] [--name-server IP …], --apn NAME [--apn-user NAME] [--apn-password-file F]
        [--pin-file F], --board-proxy URL. Without any a board gets into its network by cable and DHCP.

        Answers are JSON on standard output. --server and --ca are remembered in the session file after register or login.
        With an API token, from --api-token-file or the environment's STRATA_API_TOKEN, nobody has to have signed in; scopes are read, broadcasts,
        senders, destinations, members and audit.
        A server is reached through --proxy http://HOST:PORT, or for https:// through HTTPS_PROXY unless NO_PROXY names its host.
        """

    private let print: @Sendable (String) -> Void
    let tell: @Sendable (String) -> Void
    let ask: (@Sendable (String) -> String?)?

    /// - Parameters:
    ///   - print: takes one line of the answer.
    ///   - tell: takes one line of what a person may want to know meanwhile.
    ///   - ask: asks a person, and gives their line, or nil at the input's end; nil where there is nobody to ask.
    package init(
        print: @escaping @Sendable (String) -> Void, tell: @escaping @Sendable (String) -> Void = { _ in },
        ask: (@Sendable (String) -> String?)? = nil
    ) {
        self.print = print
        self.tell = tell
        self.ask = ask
    }

    /// Runs one command. Throws what a person should read.
    package func run(_ arguments: [String], environment: [String: String]) async throws {
        var arguments = try Arguments(arguments)
        if arguments.has("help") || arguments.words.isEmpty { return print(Self.usage) }
        if arguments.words.first == "server" {
            _ = try arguments.word("the command")
            return try await server(&arguments, environment)
        }
        let home = environment["HOME"] ?? "."
        let path = try arguments.optional("session") ?? "\(home)/.config/strata/session.json"
        var session = try SessionFile.load(path) ?? SessionFile(server: "http://127.0.0.1:8080")
        if let server = try arguments.optional("server") { session.server = try Self.origin(server) }
        if let file = try arguments.optional("ca") {
            let authority = try Self.text(of: file)
            try Self.checkCertificate(authority, "--ca \(file)")
            session.authority = authority
        }
        let client = try ControlClient(
            session: session, path: path, token: try Self.apiToken(try arguments.optional("api-token-file"), environment),
            proxy: try Self.proxy(try arguments.optional("proxy"), environment, for: session.server))
        try await dispatch(&arguments, client)
    }

    private func dispatch(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        switch try arguments.word("the command") {
        case "register": try await register(&arguments, client)
        case "login": try await login(&arguments, client)
        case "logout":
            try arguments.finish()
            try await client.leave()
        case "whoami":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/auth/me") as UserView)
        case "api-token": try await apiToken(&arguments, client)
        case "token": try await token(&arguments, client)
        case "tokens": try await tokens(&arguments, client)
        case "board": try await board(&arguments, client)
        case "sender": try await sender(&arguments, client)
        case "destination": try await destination(&arguments, client)
        case "broadcast": try await broadcast(&arguments, client)
        case "slate": try await slate(&arguments, client)
        case "pool": try await pool(&arguments, client)
        case "authority": try authority(&arguments)
        case "release": try release(&arguments)
        case "rollout": try await rollout(&arguments, client)
        case "organization": try await organization(&arguments, client)
        case let other: throw Arguments.Fault("there is no command '\(other)'; see --help")
        }
    }

    // MARK: What commands share

    /// One line for people, in the place of JSON.
    func say(_ line: String) { print(line.escaped()) }

    func show(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // try?: what was just decoded from JSON encodes again.
        // Names come from boards and other people: escaped, they are still JSON and steer no terminal.
        if let data = try? encoder.encode(value) { print(String(decoding: data, as: UTF8.self).escaped(but: ["\n"])) }
    }

    static func text(of file: String) throws -> String {
        do throws(SystemError) {
            return try ProgramContext.readInput(file)
        } catch {
            throw Arguments.Fault("\(file) cannot be read: \(error.reason)")
        }
    }

    /// A secret from a file, without the line's end. A file on disk is held to the rule for key files: for its owner alone.
    static func secret(of file: String) throws -> SecretOnWire {
        var status = stat()
        // Of a pipe, as a shell makes one, the mode says nothing; what cannot be looked at, reading says.
        if stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            throw Arguments.Fault(
                "\(file): mode \(String(status.st_mode & 0o777, radix: 8)): only its owner may read a secret (chmod 600 \(file))")
        }
        let secret = try text(of: file).prefix { !$0.isNewline }
        guard !secret.isEmpty else { throw Arguments.Fault("\(file) is empty: write the secret into its first line") }
        return SecretOnWire(Secret(String(secret)))
    }

    private static func origin(_ text: String) throws -> String {
        do {
            return try URLParts(text, schemes: [.http, .https]).origin
        } catch {
            throw Arguments.Fault("--server is '\(text)': \(error)")
        }
    }
}
