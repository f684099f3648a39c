// Boards' files: a token, the server and the network on a card, from which a board enrolls at its first start.
import Boards
import Crypto
import HTTP
import Identity
import Posix
import Sheets
import Units
import Wire

extension Console {
    func board(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let server = await client.server
        let options = try BoardOptions(&arguments, server: server)
        guard let place = try BoardPlace(&arguments) else { throw Arguments.Fault("--directory or --cloud-init is missing") }
        let (name, tokenFile) = (try arguments.optional("name"), try arguments.optional("token-file"))
        let toml = try arguments.optional("configuration").map(Self.text)
        try arguments.finish()
        try options.check(name: name)
        try place.check(options.network)
        if let tokenFile {
            guard toml == nil, options.lifetime == nil else {
                throw Arguments.Fault("--configuration and --expires belong to a token that is made: leave them out with --token-file")
            }
            let token = try Self.enrollmentToken(of: tokenFile)
            try place.write(try options.file(token, name: name, organization: nil, expiresAt: nil))
            return show(BoardView(file: place.path, name: name, token: token.id, expiresAt: nil))
        }
        let request = CreateTokenRequest(kind: .sender, name: name, expiresInSeconds: options.lifetime, configuration: toml)
        show(try await prepare(request, options, place, client))
    }

    /// A new key for a board that is there: of one that was copied, or whose card was lost.
    func renew(_ id: DeviceID, _ arguments: inout Arguments, _ client: ControlClient) async throws {
        let output = try arguments.optional("output")
        guard let place = try BoardPlace(&arguments) else {
            guard let output else { throw Arguments.Fault("--directory, --cloud-init or --output is missing") }
            let lifetime = try arguments.integer("expires", in: 60...2_592_000)
            try arguments.finish()
            try KeyFile.check(output)
            var made: TokenView = try await client.call(
                .post, "/api/v1/enrollment-tokens", CreateTokenRequest(kind: .sender, expiresInSeconds: lifetime, sender: id))
            try Self.keep(made.token, in: output, "the token \(made.id)", until: made.expiresAt)
            made.token = nil
            return show(made)
        }
        guard output == nil else { throw Arguments.Fault("--output is for a token alone: leave it out here") }
        let server = await client.server
        let options = try BoardOptions(&arguments, server: server)
        try arguments.finish()
        try options.check(name: nil)
        try place.check(options.network)
        let request = CreateTokenRequest(kind: .sender, expiresInSeconds: options.lifetime, sender: id)
        show(try await prepare(request, options, place, client))
    }

    /// The other organisation's token is on the card before this one gives the board up.
    func transfer(_ id: DeviceID, _ arguments: inout Arguments, _ client: ControlClient) async throws {
        let token = try Self.enrollmentToken(of: arguments.required("token-file"))
        let server = await client.server
        let options = try BoardOptions(&arguments, server: server)
        guard let place = try BoardPlace(&arguments) else { throw Arguments.Fault("--directory or --cloud-init is missing") }
        try arguments.finish()
        guard options.lifetime == nil else { throw Arguments.Fault("--expires belongs to a token that is made") }
        try options.check(name: nil)
        try place.check(options.network)
        let sender: SenderView = try await client.call(.get, "/api/v1/senders/\(id)")
        try place.write(try options.file(token, name: sender.name, organization: nil, expiresAt: nil))
        do {
            try await client.callEmpty(.delete, "/api/v1/senders/\(id)")
        } catch {
            throw Arguments.Fault("\(error)\n  the board was not given up: remove \(place.path), or it is refused there")
        }
        show(BoardView(file: place.path, name: sender.name, token: token.id, expiresAt: nil))
    }

    /// A file for each line of a list, and a sheet with the tokens of all. Called again it makes those that are missing.
    func tokens(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let server = await client.server
        let options = try BoardOptions(&arguments, server: server)
        let (list, folder) = (try arguments.required("csv"), try arguments.required("directory"))
        let sheet = try arguments.optional("sheet") ?? "\(folder)/sheet.html"
        try arguments.finish()
        let boards = try Self.boards(list)
        for board in boards { try options.check(name: board.name) }
        try Folder.make(folder)
        try KeyFile.check(sheet)
        var (views, made) = ([BoardView](), [TokenSheet.Entry]())
        for (number, board) in boards.enumerated() {
            let place = BoardPlace.folder("\(folder)/\(Self.folderName(board.name, number + 1))")
            if try FileTree.look(place.path) == nil {
                try Folder.make(UnixSocket.folder(of: place.path))
                try place.check(options.network)
                let request = CreateTokenRequest(
                    kind: .sender, name: board.name, expiresInSeconds: options.lifetime, configuration: board.toml)
                views.append(try await prepare(request, options, place, client))
            }
            made.append(try Self.entry(place.path))
            // Whatever comes next fails: what was made is on the sheet.
            try KeyFile.write(TokenSheet(made).html().revealed, to: sheet)
        }
        show(SheetView(sheet: sheet, boards: made.count, made: views))
    }

    /// Makes a token and writes it into a board's file.
    private func prepare(
        _ request: CreateTokenRequest, _ options: BoardOptions, _ place: BoardPlace, _ client: ControlClient
    ) async throws -> BoardView {
        let user: UserView = try await client.call(.get, "/api/v1/auth/me")
        let made: TokenView = try await client.call(.post, "/api/v1/enrollment-tokens", request)
        guard let token = made.token.flatMap({ EnrollmentToken($0.secret) }) else {
            throw Arguments.Fault("the server's answer holds no enrollment token")
        }
        do {
            let file = try options.file(token, name: made.name, organization: user.organization.name, expiresAt: made.expiresAt)
            try place.write(file)
        } catch {
            throw Arguments.Fault("\(error); the token \(made.id) was made for nothing and ends at \(made.expiresAt)")
        }
        return BoardView(file: place.path, name: made.name, token: made.id, expiresAt: made.expiresAt)
    }

    private static func enrollmentToken(of file: String) throws -> EnrollmentToken {
        guard let token = EnrollmentToken(try secret(of: file).secret) else {
            throw Arguments.Fault("\(file) holds no enrollment token, strata1.<id>.<secret>.<authority>")
        }
        return token
    }

    /// The list, with the text of each configuration that it names.
    private static func boards(_ list: String) throws -> [(name: String, toml: String?)] {
        do {
            let folder = UnixSocket.folder(of: list)
            return try BoardList(Array(try text(of: list).utf8)).entries.map { entry in
                (name: entry.name, toml: try entry.configuration.map { try text(of: "\(folder)/\($0)") })
            }
        } catch let fault as BoardList.Fault {
            throw Arguments.Fault("\(list), \(fault)")
        }
    }

    /// `007-van-7`: a folder that a person finds, on any file system.
    static func folderName(_ name: String, _ number: Int) -> String {
        let digits = String(number)
        let letters = name.lowercased().unicodeScalars.map { scalar -> Character in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "-"
        }
        let words = String(letters).split(separator: "-").joined(separator: "-").prefix(40)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits + (words.isEmpty ? "" : "-\(words)")
    }

    private static func entry(_ path: String) throws -> TokenSheet.Entry {
        let file = try BoardFile(try text(of: path), source: path)
        return TokenSheet.Entry(
            name: file.boardName ?? "", organization: file.organization, server: file.servers[0].text, expiresAt: file.expiresAt,
            token: file.token.text)
    }

    private struct BoardView: Codable {
        var file: String
        var name: String?
        var token: EnrollmentTokenID
        var expiresAt: String?
    }

    private struct SheetView: Codable {
        var sheet: String
        /// On it.
        var boards: Int
        /// Now.
        var made: [BoardView]
    }
}
