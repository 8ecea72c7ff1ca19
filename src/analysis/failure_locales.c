/*
 * The same outcomes in other languages: strerror() and getaddrinfo() of the GNU C library, the
 * messages of WinSock, libpq and the PostgreSQL server in the languages they are translated to.
 * One row a kind; what an unknown language leaves are the numbers and the English driver words.
 */
#include "failure_private.h"

#define STRONG EVIDENCE_STRONG

/* clang-format off */
const struct failure_rule failure_locale_rules[] = {
    { "verbindungsaufbau (?:abgelehnt|verweigert)|zielcomputer die verbindung verweigerte|"
      "connexion refusée|l.ordinateur cible l.a expressément refusée|conexión (?:rehusada|"
      "rechazada|rexeitada)|denegó expresamente dicha conexión|connessione rifiutata|"
      "rifiuto persistente del computer di destinazione|(?:conexão|ligação) recusada|"
      "recusou ativamente|recusaram ativamente|в соединении отказано|"
      "отверг запрос на подключение|у з.єднанні відмовлено|połączenie odrzucone|"
      "aktywnie (?:go )?odmawia|spojení odmítnuto|verbinding (?:is )?geweigerd|"
      "förbindelsen förvägrad|anslutningen vägras|opkobling nægtet|oppkobling nektes|"
      "yhteys torjuttu|kapcsolat elutasítva|bağlantı reddedildi|etkin olarak reddettiğinden|"
      "koneksi ditolak|kết nối bị từ chối|απόρριψη σύνδεσης|conexiunea a fost refuzată|"
      /* pgjdbc's sentence around its address */
      "(?:verbindung zu|connexion à|conexión a|conexão (?:para|com)|connessione a|"
      "подсоединение по адресу) \\S{1,300} (?:verweigert|abgelehnt|refusée|rehusada|rechazada|"
      "recusada|rifiutata|отклонено)|への接続が拒絶|连线被拒|連線被拒|"
      "s.ha refusat la connexió|拒绝连接|連線被拒絕|拒絕連線|积极拒绝|積極拒絕|拒绝了连接|连接被拒绝|接続を拒否されました|接続が拒否されました|"
      "拒否されたため|연결이 거부됨|연결을 거부했으므로|연결이 거부되었습니다", FAILURE_CONNECTION_REFUSED, STRONG },
    { "wartezeit für die verbindung ist abgelaufen|zeitüberschreitung|timeout abgelaufen|"
      "expiration du délai|délai est dépassé|"
      "délai d.attente (?:de la connexion )?(?:est )?dépassé|expiró el tiempo|"
      "tiempo de espera agotado|tiempo de conexión agotado|connessione scaduta|timeout scaduto|"
      "tempo esgotado|tempo limite (?:da operação )?(?:foi )?(?:atingido|expirou|excedido)|"
      "ligação expirada|время ожидания соединения истекло|тайм-аут|истекло время ожидания|"
      "превышен(?:о|а)? (?:время|интервал|время ожидания)|перевищено інтервал|"
      "przekroczon[yo] (?:czas|limit czasu)|časový limit|verbinding is verlopen|tidsgräns|"
      "overskred tids|aikakatkaistu|időtúllépés|bağlantıda zaman aşımı|zaman aşımına uğradı|"
      "kết nối đã quá hạn|λήξη σύνδεσης|连接超时|連線逾時|連線超過時間|超时|逾時|接続がタイムアウト|タイムアウト|연결 시간 초과|시간 초과",
      FAILURE_TIMEOUT, STRONG },
    { "konnte hostnamen|host ist nicht bekannt|der name oder der dienst ist nicht bekannt|"
      "namensauflösung|nom ou service inconnu|résolution (?:du|de) nom|hôte inconnu|"
      "n.a pas pu traduire le nom d.hôte|nombre o servicio desconocido|resolución del? nombre|"
      "no se pudo traducir el nombre|host desconocido|nome o servizio sconosciuto|"
      "risoluzione del nome|conversione del nome host|host sconosciuto|"
      "nome ou serviço desconhecidos?|resolução de nome|não pôde traduzir nome da máquina|"
      "este host não é conhecido|неизвестное имя или служба|сбой в разрешении им[её]н|"
      "преобразовать имя|этот хост неизвестен|не вдалося перекласти|ta nazwa lub usługa|"
      "odwzorowanie nazwy|przetłumaczyć nazwy hosta|neznámé jméno|naam of dienst is niet bekend|"
      "namn eller tjänst okänd|översätta värdnamn|isim ya da servis bilinmiyor|makine adı|"
      "不知道这样的主机|無法識別這台主機|未知的名称或服务|名稱或服務未知|无法将主机名|無法將主機名稱|域名解析|解析名稱|そのようなホストは不明です|名前またはサービスが不明です|"
      "名前解決|ホスト名[^\\n]{0,80}変換できません|알려진 호스트가 없습니다|이름 혹은 서비스를 알 수 없습니다",
      FAILURE_DNS_FAILURE, STRONG },
    { "keine route zum (?:zielrechner|host)|netzwerk (?:ist )?nicht erreichbar|"
      "aucun chemin d.accès|réseau n.est pas accessible|no existe ninguna ruta|"
      "red es inaccesible|nessun(?:a)? (?:instradamento|rotta) per|"
      "rete non (?:è )?raggiungibile|não há rota para o host|rede inacessível|"
      "rede está fora de alcance|sem caminho para|нет маршрута|сеть недоступна|немає маршруту|"
      "brak trasy do hosta|sieć jest niedostępna|geen route naar host|ingen väg till värd|"
      "没有到主机的路由|找不到通往|网络不可达|ホストへの経路がありません|ネットワークに届きません|호스트로 갈 루트가 없음|네트워크가 접근 불가능",
      FAILURE_HOST_UNREACHABLE, STRONG },
    { "vom kommunikationspartner zurückgesetzt|remotehost geschlossen|"
      "beendete die verbindung unerwartet|verbindung wird abgebrochen|"
      "ré-?initialisée par le correspondant|(?:dû|du) être fermée par l.hôte distant|"
      "coupée de façon inattendue|arrêt des connexions|reinicializada por la máquina remota|"
      "forzado la interrupción|ha cerrado la conexión|terminando la conexión|corrispondente|"
      "forzatamente interrotta|ha chiuso la connessione|interruzione della connessione|"
      "fechada pela outra ponta|cancelamento de uma conexão existente|fechou a conexão|"
      "terminando conexão|разорвано другой стороной|принудительно разорвал|"
      "неожиданно закрыл соединение|закрытие подключения|неочікувано закрив|"
      "zerwane przez drugą stronę|gwałtownie zamknięte|zrušeno druhou stranou|远程主机强迫关闭|遠端主機已強制|"
      "连接被对方重|連線被對方重設|意外关闭|意外關閉|正在终止连接|強制的に切断|接続が相手から|想定外にクローズ|接続を終了しています|강제로 끊겼|상대편이 연결을 끊|"
      "갑자기 연결을 닫", FAILURE_CONNECTION_RESET, STRONG },
    { "(?:sock|socket|s\\.PGSQL\\.\\d+)[^\\n]{0,300}?(?:datei oder verzeichnis nicht gefunden|"
      "aucun fichier ou dossier|no existe el (?:fichero|archivo) o el directorio|"
      "file o directory non esistente|(?:arquivo|ficheiro) ou (?:diretório|pasta) inexistente|"
      "нет такого файла|нема[єе] такого файла|nie ma takiego pliku|没有那个文件|沒有此一檔案|そのようなファイルや|"
      "그런 파일이나)", FAILURE_SOCKET_MISSING, STRONG },
    { "(?:datei oder verzeichnis nicht gefunden|aucun fichier ou dossier|"
      "no existe el (?:fichero|archivo) o el directorio|file o directory non esistente|"
      "(?:arquivo|ficheiro) ou (?:diretório|pasta) inexistente|нет такого файла|没有那个文件|"
      "そのようなファイルや)[^\\n]*\\n?[^\\n]*\\n?[^\\n]*(?:sock|PGSQL)", FAILURE_SOCKET_MISSING, STRONG },
    { "(?:für benutzer|para el usuario|pour l.utilisateur|per l.utente|usuário da senha|usuário|"
      "utilizador|ユーザー|пользовател[ьюя]|користувача?|użytkownika|användare|kullanıcı|用户|使用者|"
      "사용자)[^\\n]{0,100}(?:fehlgeschlagen|nicht möglich|falló|échoué|fallita|falhou|失敗|失败|"
      "не прош[её]л|не пройшов|не удалось|misslyckades|başarısız|실패)|(?:password|passwort|"
      "mot de passe|contraseña|senha|пароль|密码|密碼|パスワード|パスワード認証)[^\\n]{0,60}(?:认证失败|"
      "驗證[^\\n]{0,30}失敗|認証に失敗|échou|falló|fallita|falhou)|(?:autentificación|autenticación|"
      "autenticazione|autenticação|authentifizierung|認証|认证)[^\\n]{0,60}(?:fehlgeschlagen|falló|"
      "fallita|falhou|失敗|失败)|(?:kein|keine|aucune?|ningun[ao]?|nessun[ao]?|nenhuma?|нет|немає|"
      "没有|沒有|no hay)[^\\n]{0,60}pg_hba\\.conf|pg_hba\\.conf[^\\n]{0,90}(?:нет|немає|エントリがありません|"
      "파일에 없습니다|条目|項目)|(?:rolle|el rol|le rôle|il ruolo|função|роль|ロール|"
      "角色)\\W{0,3}[\"«»„“][^\\n]{0,80}(?:existiert nicht|n.existe pas|non esiste|não existe|"
      "не существует|не існує|存在しません|不存在)|no existe el rol|aucun mot de passe fourni|"
      "no se proporcionó una contraseña|fehler bei der anmeldung|"
      "échec de l.ouverture de session|error de inicio de sesión|falha de logon|"
      "ошибка входа пользователя|はログインできませんでした|登录失败|登入失敗", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "datenbank [»\"„][^\\n]{0,120} existiert nicht|no existe la base de datos|"
      "base de données «[^\\n]{0,120}n.existe pas|database \"[^\"]*\" non esiste|"
      "banco de dados \"[^\"]*\" não existe|база данных \"[^\"]*\" не существует|"
      "бази даних \"[^\"]*\" не існує|データベース\"[^\"]*\"は存在しません|\"[^\"]*\" 데이터베이스 없음|(?:数据库|"
      "資料庫) ?\"[^\"]*\" ?不存在", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "datenbanksystem (?:startet|ist im wiederherstellungsmodus|nimmt noch keine)|"
      "base de datos está (?:iniciándose|en modo de recuperación)|"
      "aún no está aceptando conexiones|bases? de données (?:se lance|"
      "est en cours de restauration|n.accepte pas encore)|database si sta avviando|"
      "è in modalità di ripristino|non accetta ancora connessioni|"
      "banco de dados está (?:iniciando|em modo de recuperação)|"
      "система баз данных (?:запускается|в режиме восстановления)|ещё не принимает подключения|"
      "データベースシステムは(?:起動処理中|リカバリモード|まだ接続)|데이터베이스 시스템이 (?:새로|자동)|数据库系统(?:正在启动|在恢复模式|尚未接受)|"
      "資料庫系統(?:正在啟動|處於復原|尚未接受)", FAILURE_SERVER_STARTING_UP, STRONG },
    { "zu viele verbindungen|verbleibenden verbindungen sind|demasiad[ao]s (?:clientes|"
      "conexiones)|conexiones restantes están reservadas|trop de (?:clients|connexions)|"
      "emplacements de connexions? restants|tropp[ie] (?:client|connessioni)|"
      "slot di connessione sono riservati|(?:muitos clientes|muitas conexões)|"
      "слишком много (?:клиентов|подключений|соединений)|слоты подключений зарезервированы|"
      "забагато (?:клієнтів|підключень)|クライアント数が多すぎます|接続が多すぎます|残りの接続スロット|최대 동시 접속자|客户端连接过多|连接过多|"
      "剩余连接槽位|客戶端過多|連線太多|剩餘的連線槽", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
};
/* clang-format on */
const size_t failure_locale_rules_n = ARRAY_LEN(failure_locale_rules);
