import Installation
import Site

/// What a server is to be: by options, by what an earlier run was told, and by questions where somebody is there to be asked.
struct ServerQuestions {
    /// Asks a person; nil at the end of the input.
    private let ask: (@Sendable (String) -> String?)?

    init(_ ask: (@Sendable (String) -> String?)?) { self.ask = ask }

    /// - Parameter given: by the answers' names.
    /// - Throws: `Arguments.Fault`; `SiteAnswers.Faults`.
    func answers(_ given: [String: String], _ journal: Journal) throws -> SiteAnswers {
        if journal.isOpen || journal.state == .active, let known = journal.order?.settings { return try Self.same(given, known) }
        var fields = given
        if fields["host"] == nil, ask != nil { try complete(&fields) }
        return try SiteAnswers(fields)
    }

    /// Those of the run before, which other ones would contradict.
    private static func same(_ given: [String: String], _ known: [String: String]) throws -> SiteAnswers {
        let before = try SiteAnswers(known)
        let wanted = try SiteAnswers(known.merging(given) { $1 })
        let names = SiteAnswers.names.filter { before.fields[$0] != wanted.fields[$0] }
        guard names.isEmpty else {
            let words = names.map { "--\($0) was \(before.fields[$0] ?? "not given"), and is \(wanted.fields[$0] ?? "not given")" }
            throw Arguments.Fault(
                "this server was begun with other answers: \(words.joined(separator: "; ")). Take them from there by leaving "
                    + "them out; change them in /etc/strata, or begin anew after 'server rollback' or 'server destroy'")
        }
        return before
    }

    private func complete(_ fields: inout [String: String]) throws {
        try fill(&fields, "host", "The name that browsers and boards know this server by, such as live.example.org: ")
        try fill(&fields, "certificate", Self.certificate)
        try completeCertificate(&fields)
        try fill(&fields, "address", "This machine's public addresses, with commas between, behind a NAT or for rooms [none]: ")
        try fill(&fields, "pool", "Is it a receiver host too, yes or no [yes]: ")
        try fill(&fields, "rooms", "Workers for rooms, each of which takes a core at most [0]: ")
    }

    private static let certificate = "Its certificate: own (an authority of its own), acme (a public one) or files [own]: "

    private func completeCertificate(_ fields: inout [String: String]) throws {
        switch fields["certificate"] {
        case "acme": try fill(&fields, "mail", "Whom the authority writes to before it ends, such as admin@example.org: ")
        case "files":
            try fill(&fields, "certificate-file", "The file of the chain, PEM, the leaf first: ")
            try fill(&fields, "key-file", "The file of its key: ")
            try fill(&fields, "authority-file", "The file of its authority, where boards shall pin it [none]: ")
        default: break
        }
    }

    /// An empty answer is the standard.
    private func fill(_ fields: inout [String: String], _ name: String, _ question: String) throws {
        guard fields[name] == nil, let ask else { return }
        guard let answer = ask(question) else { throw Arguments.Fault("the questions were not answered: nothing was made") }
        let text = answer.trimmingSpaces
        if !text.isEmpty { fields[name] = text }
    }

    /// What a person says to what was shown.
    enum Verdict: Equatable {
        case yes, no
        /// The name of an answer that shall be another one.
        case change(String)
    }

    /// - Parameter mayChange: nothing was made with these answers yet.
    /// - Returns: yes where there is nobody to ask.
    func verdict(mayChange: Bool) -> Verdict {
        guard let ask else { return .yes }
        let choice = mayChange ? "yes, no, or the name of an answer to change it, such as host" : "yes or no"
        let word = ask("Make all of it: \(choice) [no]? ")?.trimmingSpaces.lowercased() ?? ""
        if word == "yes" { return .yes }
        let name = word.hasPrefix("--") ? String(word.dropFirst(2)) : word
        return mayChange && SiteAnswers.names.contains(name) ? .change(name) : .no
    }

    /// - Returns: the answers with another one; as they were, and said why, where it cannot be.
    func changed(_ answers: SiteAnswers, _ name: String, tell: (String) -> Void) throws -> SiteAnswers {
        var fields = answers.fields
        if name == "certificate" {
            // What belonged to the kind before.
            for other in ["certificate-file", "key-file", "authority-file", "mail", "acme-directory"] { fields[other] = nil }
        }
        fields[name] = nil
        let question = "--\(name) is \(answers.fields[name] ?? "not given"), and shall be [as if not given]: "
        try fill(&fields, name, name == "certificate" ? Self.certificate : question)
        if name == "certificate" { try completeCertificate(&fields) }
        do {
            return try SiteAnswers(fields)
        } catch {
            tell("\(error)")
            return answers
        }
    }

    /// What a person types, e.g. a name; nil where there is none.
    func typed(_ question: String) -> String? { ask.flatMap { $0(question) }?.trimmingSpaces }
}

extension String {
    fileprivate var trimmingSpaces: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
