import Crypto
import FoundationEssentials
import HTTP
package import Logging
import Mail
package import Posix
import Web

/// Looks at a server from another host, and tells people by mail when it has not answered several times, and when it does again (DIA-21).
///
/// One look and out: a timer starts it, and what it knows lies in a file.
package struct OutsideWatch: Sendable {
    private let configuration: WatchConfiguration
    private let loop: Loop
    private let log: Log

    private struct Untold: Error, CustomStringConvertible {
        let people: [String]
        var description: String { "no mail server took the mail for \(people.joined(separator: ", ")); it is tried again at the next look" }
    }

    package init(_ configuration: WatchConfiguration, loop: Loop, log: Log) {
        self.configuration = configuration
        self.loop = loop
        self.log = log
    }

    /// - Throws: where what is known cannot be kept, or somebody could not be told.
    package func look() async throws {
        try Folder.make(configuration.folder)
        let lock = try FolderLock(configuration.folder)
        defer { lock.release() }
        var outage = recall()
        let fault = await fault()
        let step = outage.saw(
            isWell: fault == nil, atMs: unixMilliseconds(), limit: configuration.failures, people: configuration.people.map(\.text))
        log.notice(
            fault == nil ? "it answers" : "it does not answer",
            ["url": "\(configuration.health)", "failures": .integer(outage.failures), "reason": "\(fault ?? "none")"])
        try keep(outage)
        try await tell(step, fault ?? "", &outage)
    }

    /// Whoever was told is remembered at once: a mail that was taken is sent again only where this process ends right behind it, with one Message-ID.
    private func tell(_ step: Outage.Step, _ fault: String, _ outage: inout Outage) async throws {
        let people: [String]
        switch step {
        case .nothing: return
        case .tellFailure(let unaware): people = unaware
        case .tellRecovery(let told): people = told
        }
        var untold: [String] = []
        let letter = letter(step, fault, outage)
        for person in people {
            // Nobody writes to the file but us; what is no address any more is forgotten.
            guard let address = MailAddress(person) else {
                outage.took(step, for: person)
                continue
            }
            do {
                try await letter.send(to: address, by: configuration.mail)
                outage.took(step, for: person)
                try keep(outage)
            } catch {
                log.error("a mail was not taken", ["to": "\(person)", "error": "\(error)"])
                untold.append(person)
            }
        }
        try keep(outage)
        guard untold.isEmpty else { throw Untold(people: untold) }
        log.notice("told", ["people": .integer(people.count)])
    }

    private func letter(_ step: Outage.Step, _ fault: String, _ outage: Outage) -> DirectMail {
        let place = "\(configuration.health)"
        let since = HTTPDate.format(outage.sinceMs / 1000)
        let isOver = if case .tellRecovery = step { true } else { false }
        let what = isOver ? "answers again" : "does not answer"
        let paragraphs =
            isOver
            ? ["\(place) answers again. It had not since \(since)."]
            : [
                "\(place) has not answered \(outage.failures) times in a row, since \(since): \(fault)",
                "This is the one mail about it; another one comes when it answers again.",
            ]
        return DirectMail(
            subject: "\(configuration.health.host) \(what)", paragraphs: paragraphs + ["Sent by strata-watch on another host."],
            id: "watch-\(outage.sinceMs)-\(isOver ? "over" : "begun")", unixSeconds: unixMilliseconds() / 1000)
    }

    // MARK: The server

    private struct Answer: Decodable {
        let status: String
    }

    /// - Returns: why it is not well; nil where it is.
    private func fault() async -> String? {
        var options = ClientOptions()
        options.trust = configuration.trust
        (options.connectTimeout, options.responseTimeout) = (configuration.timeout, configuration.timeout)
        options.bodyLimit = 64 << 10
        do {
            let answer = try await Client(loop: loop, options: options).request(.get, "\(configuration.health)")
            guard answer.status == .ok else { return "it answered \(answer.status.code)" }
            // try?: whatever is wrong with it, it is not what control says.
            let isControls = (try? JSONDecoder().decode(Answer.self, from: Data(answer.body)))?.status == "ok"
            return isControls ? nil : "what answered is not control: another server, or a page of somebody between"
        } catch {
            return "\(error)"
        }
    }

    // MARK: The file

    private var file: String { "\(configuration.folder)/outage.json" }

    /// One that cannot be read is worth less than a mail too many.
    private func recall() -> Outage {
        do {
            guard let text = try KeyFile.read(file) else { return Outage() }
            return try JSONDecoder().decode(Outage.self, from: Data(text.utf8))
        } catch {
            log.warning("what was known cannot be read, beginning anew", ["file": "\(file)", "error": "\(error)"])
            return Outage()
        }
    }

    private func keep(_ outage: Outage) throws {
        try KeyFile.write(String(decoding: try JSONEncoder().encode(outage), as: UTF8.self), to: file)
    }
}
