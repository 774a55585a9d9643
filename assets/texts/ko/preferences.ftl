## Settings of the program
preferences-title = 설정
preferences-general = 일반
preferences-privacy = 개인정보
preferences-about = 정보
preferences-language = 창의 언어
preferences-language-note = 바로 바뀌어요. 파일과 숫자는 어느 언어에서나 같아요
preferences-appearance = 모양
preferences-appearance-note = 밝은 모양은 그림과 인쇄에, 어두운 모양은 어두운 방에 좋아요. 시스템은 컴퓨터 설정을 따라요
preferences-system = 시스템
preferences-light = 밝게
preferences-dark = 어둡게
preferences-scale = 글자 크기
preferences-scale-note = 창의 모든 것이 함께 커져요. 내보내는 그림은 그대로예요
preferences-offline = 오프라인
preferences-offline-switch = 어떤 연결도 열지 않기
preferences-offline-note = 아무것도 보내거나 받지 않아요. 서버도 다운로드도 쓰지 않고, 서버 작업은 기다려요. 이 컴퓨터에서 하는 일은 모두 돼요
preferences-tour = 둘러보기
preferences-tour-note = 2분 만에 처음부터 예측 결과까지
offline-on = 오프라인: 어떤 연결도 열지 않아요
offline-off = 오프라인 스위치를 껐어요

## Privacy
privacy-promise = 계정도, 사용 집계도, 업데이트 확인도 없어요. 직접 서버로 보내지 않는 한 연 것은 모두 이 컴퓨터에 머물러요
privacy-sent = 이 컴퓨터를 떠날 수 있는 것
privacy-sent-server = 내 서버에서 실행할 때 그 쿼리와 쿼리에 든 파일. 서버마다 처음에 물어요.
privacy-no-servers = 등록된 서버가 없어요
privacy-server-agreed = { $name }: 동의했어요
privacy-server-asked = { $name }: 먼저 물어볼 거예요
privacy-withdraw = { $name } 다시 묻기
privacy-sent-weights = K-Fold 가중치를 받을 때는 공개된 곳에 파일을 요청할 뿐 내 것은 보내지 않아요. 직접 요청할 때만 일어나요.
privacy-kept = 어디에 무엇을 두나요
privacy-runs = 실행: 쿼리, 파일 사본, 결과와 기록
privacy-sessions = 저절로 저장된 세션 최근 열 개
privacy-preferences = 이 설정과 최근 파일 이름
privacy-servers = 내 서버와 토큰. 나만 읽을 수 있어요
privacy-lessons = 나만의 수업

## About
about-text = 분자가 어떻게 결합하는지 예측하고 보여 줘요. K-Fold, Vina 함수와 GNINA 신경망을 쓰는 도킹, 뷰어가 한 프로그램에 있어요.
about-license = Apache License 2.0. 들어 있는 데이터와 모델은 NOTICE.md에 적혀 있어요
about-packages = 이 프로그램을 이루는 패키지 { $count }개
about-filter = 이름 또는 라이선스

## 서버
preferences-servers = 서버
servers-note = 예측하는 다른 컴퓨터예요. 그래픽 카드가 있는 워크스테이션이나 클러스터죠. 설치는 docs/server.md에 있어요. 한 번 동의하기 전에는 서버로 아무것도 보내지 않아요
servers-offline = 오프라인 스위치가 켜져 있어서 서버에 묻지 않아요. 일반 쪽에서 끄세요
servers-add-title = 서버 추가
servers-change-title = { $name } 바꾸기
servers-name = 서버 이름
servers-address = 주소
servers-address-hint = https://gpu.lab:8470
servers-token = 토큰
servers-token-hint = 서버 관리자가 준 것
servers-token-kept = 비워 두면 토큰을 그대로 써요
servers-certificate = 인증서
servers-certificate-hint = 스스로 만든 인증서를 쓰는 서버만
servers-certificate-choose = 인증서 고르기
servers-choose = 고르기…
servers-test-and-keep = 물어보고 저장
servers-keep = 묻지 않고 저장
servers-test = 시험
servers-test-of = { $name } 시험
servers-change = 바꾸기
servers-change-of = { $name } 바꾸기
servers-remove = 지우기
servers-remove-of = { $name } 지우기
servers-answer = 대답해요: { $devices }에서 { $engines }; 실행 { $running }, 대기 { $waiting }
servers-processor = 프로세서
servers-need-name = 서버 이름을 쓰세요
servers-need-address = 서버 주소를 쓰세요
servers-need-token = 토큰을 쓰세요. 서버 관리자가 만들어 줘요
servers-name-taken = 이 이름의 서버가 있어요
servers-busy = 그 서버에서 기다리거나 실행 중인 작업이 있어요. 먼저 취소하거나 끝나기를 기다리세요
