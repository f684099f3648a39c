import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// What one organisation, one user or one address may cost all others (THREATS 14): a refusal says which limit it was.
@Suite(.serialized, .unlessStolen)
struct QuotaTests {
    @Test("one more than a quota allows is refused by the quota's name, and another organisation does not notice")
    func organizations() async throws {
        let quotas = ["users": 2, "senders": 1, "enrollment_tokens": 2, "destinations": 2, "broadcasts": 1, "outputs": 1]
        try await atFrontDesk({ $0.quotas = quotas }) { desk in
            let owner = try await desk.owner()
            let stranger = try await desk.stranger()
            let board = try await desk.board(of: owner)
            // Destinations.
            var ids: [String] = []
            for name in ["a", "b"] { ids.append(try await destination(name, owner).text("id")) }
            try expect(try await destination("c", owner), "destinations", 2)
            #expect(try await destination("a", stranger).status == 201)
            #expect(try await owner.send("DELETE", "/destinations/\(ids.removeLast())").status == 204)
            ids.append(try await destination("c", owner).text("id"))
            // Users.
            func user(_ name: String) async throws -> Reply {
                try await owner.post(
                    "/users", #"{"email":"\#(name)@example.org","displayName":"Una","role":"member","password":"a long password"}"#)
            }
            let second = try await user("two")
            #expect(second.status == 201)
            try expect(try await user("three"), "users", 2)
            let path = "/users/\(try second.text("id"))"
            #expect(try await owner.send("PATCH", path, #"{"active":false}"#).status == 200)
            #expect(try await user("three").status == 201)
            try expect(try await owner.send("PATCH", path, #"{"active":true,"displayName":"Renamed"}"#), "users", 2)
            let listed = try await owner.get("/users").items()
            #expect(!listed.contains { $0["displayName"] as? String == "Renamed" }, "half of a refused change was made")
            // Tokens, and the senders that they make.
            let token = try await desk.token(of: owner)
            _ = try await desk.token(of: owner)
            try expect(try await owner.post("/enrollment-tokens", #"{"kind":"sender"}"#), "enrollment_tokens", 2)
            try expect(try await RawBoard.redeem(token, key: .generate(), at: desk), "senders", 1)
            // Broadcasts and their outputs.
            let socket = try await board.connect()
            let reading = Task { try await RawBoard.answerAll(socket, .done) }
            defer { reading.cancel() }
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders/\(board.identity.device)").object()["online"] as? Bool == true
            }
            let many = ids.map { "\"\($0)\"" }.joined(separator: ",")
            let sender = board.identity.device
            try expect(try await owner.post("/broadcasts", #"{"sender":"\#(sender)","destinations":[\#(many)]}"#), "outputs", 1)
            #expect(try await owner.get("/broadcasts").items().isEmpty)
        }
    }

    @Test("only so many broadcasts run at once, and a running one takes only so many outputs")
    func broadcasts() async throws {
        try await atFrontDesk({
            $0.quotas = ["broadcasts": 1, "outputs": 1]
            $0.outbound = ["127.0.0.0/8"]
        }) { desk in
            let owner = try await desk.owner()
            let boards = [try await desk.board(of: owner, name: "one"), try await desk.board(of: owner, name: "two")]
            let host = try await desk.host("host")
            // It never answers for the lease: the first broadcast stays at its first step.
            let waiting = Task {
                while case .text(let text)? = try await host.receive() {
                    let command = try JSONDecoder().decode(Command<PoolOrder>.self, from: Data(text.utf8))
                    if case .lease = command.order { continue }
                    try await host.send(PoolMessage.outcome(CommandOutcome(id: command.id, result: .done)))
                }
            }
            defer { waiting.cancel() }
            var readers: [Task<Void, any Error>] = []
            defer { for reader in readers { reader.cancel() } }
            for board in boards {
                let socket = try await board.connect()
                readers.append(Task { try await RawBoard.answerAll(socket, .done) })
            }
            try await eventually(within: .seconds(5), "all are online") {
                let senders = try await owner.get("/senders").items().filter { $0["online"] as? Bool == true }
                let hosts = try await owner.get("/pool").items().filter { $0["online"] as? Bool == true }
                return senders.count == 2 && hosts.count == 1
            }
            let place = try await destination("a", owner).text("id")
            func start(_ board: RawBoard) async throws -> Reply {
                try await owner.post("/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(place)"]}"#)
            }
            let first = try await start(boards[0])
            #expect(first.status == 201, "\(first)")
            try expect(try await start(boards[1]), "broadcasts", 1)
            try await poolIsShown(desk, owner)
            let path = "/broadcasts/\(try first.text("id"))"
            let other = try await destination("b", owner).text("id")
            try expect(try await owner.post("\(path)/outputs", #"{"destination":"\#(other)"}"#), "outputs", 1)
            #expect(try await owner.post("\(path)/stop").status == 200)
            try await eventually(within: .seconds(15), "the first one is over") { try await owner.get(path).text("state") == "ended" }
            #expect(try await start(boards[1]).status == 201)
        }
    }

    @Test("a user has only so many logins and pages, an address only so many requests without a login", .row("SEC-11"))
    func users() async throws {
        try await atFrontDesk({
            $0.quotas = ["sessions": 2, "sockets": 2]
            $0.openPerMinute = 60
        }) { desk in
            let oldest = try await desk.owner()
            let socket = try await oldest.watch()
            let (second, third) = (try await desk.owner(), try await desk.owner())
            // The one that was used longest ago is out, with what it had open.
            #expect(try await socket.ending(within: .seconds(2)) == 1008)
            #expect(try await oldest.get("/auth/me").status == 401)
            #expect(try await oldest.refresh().status == 401)
            #expect(try await second.get("/auth/me").status == 200)
            #expect(try await third.get("/auth/sessions").items().count == 2)

            var pages = [try await second.watch(), try await third.watch()]
            #expect(try await second.refusedWatch() == 429)
            await pages.removeLast().close()
            let again = try await eventually(within: .seconds(5), "a closed page makes room") { try? await second.watch() }
            await again.close()

            // Whatever nobody signed for is counted together, also what is refused: whoever has signed in goes on.
            var refused: Reply?
            for number in 0..<70 where refused == nil {
                let paths = ["/health", "/setup", "/nothing", "/senders", "/api/v1/openapi.json"]
                let answer = try await desk.visitor().get(paths[number % paths.count])
                if answer.status == 429 { refused = answer }
            }
            let limit = try #require(refused, "70 requests of nobody were answered")
            #expect(limit.problem == "too-many-requests")
            #expect((1...60).contains(Int(try #require(limit.headers["retry-after"])) ?? 0))
            #expect(try await second.get("/auth/me").status == 200)
        }
    }

    // MARK: Parts

    /// The one host is full: whose stream it is knows only the organisation that has it.
    private func poolIsShown(_ desk: FrontDesk, _ owner: Visitor) async throws {
        func host(_ visitor: Visitor, _ path: String = "/pool") async throws -> HostView {
            try #require(try JSONDecoder().decode(ListView<HostView>.self, from: Data(try await visitor.get(path).body)).items.first)
        }
        try await eventually(within: .seconds(5), "the stream is on the host") { try await host(owner).streams == 1 }
        let (own, others) = (try await host(owner), try await host(try await desk.stranger()))
        #expect(!own.hasRoom && !others.hasRoom && others.streams == 0)
        // Whoever set the server up looks after its pool, and sees all of it; nobody else does.
        #expect(own.capacity == 1 && own.allStreams == 1)
        #expect(others.capacity == nil && others.allStreams == nil && others.cpuPercent == nil)
        let all = try await host(try desk.operating(), "/operator/pool")
        #expect(all.streams == 1 && all.capacity == 1 && !all.hasRoom)
    }

    private func destination(_ name: String, _ owner: Visitor) async throws -> Reply {
        try await owner.post("/destinations", #"{"name":"\#(name)","url":"rtmp://127.0.0.1/app","secret":"key"}"#)
    }

    private func expect(_ answer: Reply, _ quota: String, _ limit: Int, at location: SourceLocation = #_sourceLocation) throws {
        #expect(answer.status == 429 && answer.problem == "quota-reached", "\(answer)", sourceLocation: location)
        #expect(try answer.text("detail").contains("quotas.\(quota) = \(limit)"), "\(answer)", sourceLocation: location)
    }
}
