/// Times that both ends agree on.
enum RISTTiming {
    /// After this long without an answer librist gives a peer no more data. It looks once per 100 to 1000 ms, by version;
    /// the owner of the sender judges faster by the statistics.
    static let senderSessionMs = 500
    /// The receiver's: NACKs go to the best peer that is alive, so a dead one must fall quickly. The floor of librist.
    static let receiverSessionMs = 250
}
