/// How this machine's rooms are set up.
package struct RoomSettings: Sendable {
    /// `strata-sfu`.
    package let program: String
    /// Of the workers' Unix sockets; nobody else's.
    package let folder: String
    /// One for each core that rooms may take; 0: this server has no rooms.
    package let workers: Int
    /// UDP, of the first worker; each next one has the next. 0: whichever is free, for each.
    package let port: Int
    /// Addresses that they listen on.
    package let bind: [String]
    /// Addresses that peers are told, in place of those: of a machine behind NAT.
    package let announced: [String]
    /// What programs are told to find their ways with.
    package let servers: ICEServers
    package let logLevel: String
    /// Where workers write down what is recorded, in a folder that is there; nil: nothing can be.
    package let recordings: String?

    package init(
        program: String, folder: String, workers: Int, port: Int, bind: [String], announced: [String], servers: ICEServers,
        logLevel: String, recordings: String? = nil
    ) {
        self.program = program
        self.folder = folder
        self.workers = workers
        self.port = port
        self.bind = bind
        self.announced = announced
        self.servers = servers
        self.logLevel = logLevel
        self.recordings = recordings
    }

    func arguments(of number: Int, at path: String) -> [String] {
        ["--socket", path, "--port", "\(port == 0 ? 0 : port + number)", "--log", logLevel]
            + bind.flatMap { ["--bind", $0] } + announced.flatMap { ["--announce", $0] }
            + (recordings.map { ["--recordings", $0] } ?? [])
    }
}
